"""Secrets of the gateway itself: upstream keys and the pepper, from where their owners keep them."""

from lockgate.gateway.secrets.book import Secrets, read_secret
from lockgate.gateway.secrets.reference import Reference, parse_reference
from lockgate.gateway.secrets.secret import Secret

__all__ = ["Reference", "Secret", "Secrets", "parse_reference", "read_secret"]
