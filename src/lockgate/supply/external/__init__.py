"""Examines what the project says about others: data sets from outside, and third parties that it relies on."""

from lockgate.supply.external.catalog import CHECKS
from lockgate.supply.external.in_project import examine_data_sets, examine_sources
from lockgate.supply.external.subject import DataSetFacts, SourceFacts, Use

__all__ = ["CHECKS", "DataSetFacts", "SourceFacts", "Use", "examine_data_sets", "examine_sources"]
