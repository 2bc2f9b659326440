"""Every check of every stage, by id."""

from typing import Any

from lockgate.core.check import Card, Check
from lockgate.data.catalog import CHECKS as DATA
from lockgate.deploy.catalog import CHECKS as DEPLOY
from lockgate.guard.catalog import CHECKS as GUARD
from lockgate.monitor.catalog import CHECKS as MONITOR
from lockgate.redteam.catalog import CHECKS as REDTEAM
from lockgate.supply.catalog import CHECKS as SUPPLY
from lockgate.train.catalog import CHECKS as TRAIN

AnyCheck = type[Check[Any]]


def all_checks() -> dict[str, AnyCheck]:
    """The checks of all stages, sorted by id."""
    listed: tuple[AnyCheck, ...] = (*DATA, *TRAIN, *SUPPLY, *REDTEAM, *DEPLOY, *GUARD, *MONITOR)
    return {check.card.id: check for check in sorted(listed, key=lambda item: item.card.id)}


def cards() -> tuple[Card, ...]:
    """The cards of all checks, sorted by id."""
    return tuple(check.card for check in all_checks().values())
