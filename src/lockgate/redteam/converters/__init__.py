"""Disguises of an attack's wording: pure, seeded, and open to every family."""

from lockgate.redteam.converters.catalog import CONVERTERS, converter_named
from lockgate.redteam.converters.converter import Converter, convert

__all__ = ["CONVERTERS", "Converter", "convert", "converter_named"]
