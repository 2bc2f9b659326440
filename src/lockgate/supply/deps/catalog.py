"""Every check of dependencies."""

from typing import Never

from lockgate.core import Check
from lockgate.supply.deps.added_index import AddedIndex
from lockgate.supply.deps.confusable_name import ConfusableName
from lockgate.supply.deps.install_time_code import InstallTimeCode
from lockgate.supply.deps.known_vulnerability import KnownVulnerability
from lockgate.supply.deps.refused_licence import RefusedLicence
from lockgate.supply.deps.unfixed_reference import UnfixedReference
from lockgate.supply.deps.unhashed_dependency import UnhashedDependency
from lockgate.supply.deps.unpinned_dependency import UnpinnedDependency
from lockgate.supply.deps.yanked_release import YankedRelease

CHECKS: tuple[type[Check[Never]], ...] = (
    KnownVulnerability,
    UnpinnedDependency,
    UnhashedDependency,
    ConfusableName,
    UnfixedReference,
    RefusedLicence,
    YankedRelease,
    InstallTimeCode,
    AddedIndex,
)
