"""Every check of what comes from others."""

from typing import Never

from lockgate.core import Check
from lockgate.supply.external.unproven_data_set import UnprovenDataSet
from lockgate.supply.external.unreviewed_source import UnreviewedSource

CHECKS: tuple[type[Check[Never]], ...] = (UnprovenDataSet, UnreviewedSource)
