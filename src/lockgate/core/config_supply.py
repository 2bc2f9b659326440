"""Settings of `supply`: what this project lets in, and what of it is examined."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class AllowedName(_Section, frozen=True, kw_only=True):
    """A name that pickles of this project may use although no list of a framework has it.

    Attributes:
        name: `module.name`, exactly.
        how: The strongest thing that may be done with it: mention it, make it into an object, call it.
        until: The last day on which this holds.
        why: Who needs it for what.
    """

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_]+([.][A-Za-z0-9_]+)+$(?!\\n)")]
    how: Literal["imported", "built", "called"]
    until: dt.date
    why: _Text


Part = Literal["models", "vulnerabilities", "dependencies", "code", "secrets"]


class DependencyConfig(_Section, frozen=True, kw_only=True):
    """How the libraries that the project names are judged.

    Attributes:
        licences: SPDX ids of allowed licences. Without one, licences are not judged.
        max_update_age_days: Days since the last `lockgate db update` after which its data no longer counts.
        max_data_age_days: Days since the newest advisory in it was changed, at the supply gate, at the deploy gate and
            when serving.
    """

    licences: tuple[_Text, ...] = ()
    max_update_age_days: Annotated[float, Meta(gt=0, le=3_650)] = 7
    max_data_age_days: Annotated[float, Meta(gt=0, le=3_650)] = 30


class SupplyConfig(_Section, frozen=True, kw_only=True):
    """What the supply gate lets in, and what it looks at besides model files.

    Attributes:
        pickle_names: Names that pickles may use besides those of the frameworks' lists.
        dependencies: How the libraries that the project names are judged.
        history: Whether secrets are searched in the history, too, where the project is the top of a git repository.
        max_scan_age_hours: Oldest decision of a gate that still counts when deploying and serving; any where left out.
            The trust file may demand less.
        absent: What there is none of, or what is not examined, each with the reason: `models`, `vulnerabilities` of
            libraries, `dependencies` as a whole, `code`, `secrets`. Model files that lie there are examined anyway.
    """

    pickle_names: tuple[AllowedName, ...] = ()
    dependencies: DependencyConfig = DependencyConfig()
    history: bool = True
    max_scan_age_hours: Annotated[float, Meta(gt=0, le=87_600)] | None = None
    absent: dict[Part, _Text] = {}


SECTIONS: tuple[type[msgspec.Struct], ...] = (SupplyConfig, AllowedName, DependencyConfig)
"""Every mapping of this part, for suggestions."""
