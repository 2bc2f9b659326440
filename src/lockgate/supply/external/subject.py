"""What the checks of this folder look at."""

import datetime as dt

import msgspec

from lockgate.core import SubjectRef
from lockgate.core.config_supply import DataSetConfig, SourceConfig


class DataSetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A data set from outside as `lockgate.yaml` declares it, and its copy in the project.

    Attributes:
        ref: The settings file.
        claim: What is declared.
        licences: Allowed licences; empty for any that is stated.
        present: Digests of the files that lie below the declared folder, by their path below it.
    """

    ref: SubjectRef
    claim: DataSetConfig
    licences: frozenset[str] = frozenset()
    present: dict[str, str] = {}


class Use(msgspec.Struct, frozen=True, order=True):
    """A place that names a third party.

    Attributes:
        host: Its host.
        uri: The file.
        line: Line, 1-based; 0 where there is none.
        what: What it is there, for a reader.
    """

    host: str
    uri: str
    line: int
    what: str


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The inventory of third parties, and what the project uses.

    Attributes:
        ref: The settings file.
        listed: The inventory.
        used: Every place that names a third party, sorted.
        today: The day on which reviews must still count.
    """

    ref: SubjectRef
    listed: tuple[SourceConfig, ...]
    used: tuple[Use, ...]
    today: dt.date
