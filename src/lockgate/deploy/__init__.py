"""The deploy stage: trusts digests and signatures, never file names, and names the missing link of the chain."""

from lockgate.deploy.catalog import CHECKS
from lockgate.deploy.examine import examine, examine_again
from lockgate.deploy.subject import Approval, Chain, Deployed, Lineage, Link, Release, Requirement, SignedPath

__all__ = [
    "CHECKS",
    "Approval",
    "Chain",
    "Deployed",
    "Lineage",
    "Link",
    "Release",
    "Requirement",
    "SignedPath",
    "examine",
    "examine_again",
]
