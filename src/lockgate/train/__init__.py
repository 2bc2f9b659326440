"""The train stage: runs the declared job isolated, and records which bytes went in and which came out."""

from lockgate.train.catalog import CHECKS
from lockgate.train.errors import TrainError
from lockgate.train.examine import examine
from lockgate.train.provenance import BUILD_TYPE, Provenance, to_provenance
from lockgate.train.record import record
from lockgate.train.recording import Recording
from lockgate.train.sandbox import Sandbox, find_sandbox

__all__ = [
    "BUILD_TYPE",
    "CHECKS",
    "Provenance",
    "Recording",
    "Sandbox",
    "TrainError",
    "examine",
    "find_sandbox",
    "record",
    "to_provenance",
]
