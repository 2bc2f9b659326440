"""The deploy stage: trusts digests and signatures, never file names, and names the missing link of the chain."""

from lockgate.deploy.catalog import CHECKS
from lockgate.deploy.examine import examine
from lockgate.deploy.subject import Chain, Deployed, Link, Requirement

__all__ = ["CHECKS", "Chain", "Deployed", "Link", "Requirement", "examine"]
