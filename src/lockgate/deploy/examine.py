"""Run the deploy checks on a chain."""

from lockgate.core import Examination, Outcome, run
from lockgate.deploy.catalog import CHECKS, LASTING
from lockgate.deploy.subject import Chain


def examine(chain: Chain) -> Examination:
    """Examine the chain with every check; the subjects are the files that would be deployed."""
    outcomes = tuple(run(check(), chain) for check in CHECKS)
    return Examination(tuple(item.ref for item in chain.deployed), outcomes)


def examine_again(chain: Chain) -> tuple[Outcome, ...]:
    """Ask once more what can turn bad after the gate was decided: ages, revocations, approvals, waivers, signatures."""
    return tuple(run(check(), chain) for check in LASTING)
