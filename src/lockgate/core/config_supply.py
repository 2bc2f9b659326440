"""Settings of `supply`: what this project lets in, and what of it is examined."""

import datetime as dt
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$(?!\\n)", description="SHA-256 digest, 64 lower-case hex digits.")]


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


Part = Literal["models", "vulnerabilities", "dependencies", "code", "secrets", "sources"]


class UnmatchedLibrary(_Section, frozen=True, kw_only=True):
    """A library that comes from a path, an address or a repository, so that no advisory can be matched with it.

    Attributes:
        name: Its name.
        until: The last day on which this holds.
        why: Why it is used all the same, and how its vulnerabilities are watched.
    """

    name: _Text
    until: dt.date
    why: _Text


class DependencyConfig(_Section, frozen=True, kw_only=True):
    """How the libraries that the project names are judged.

    Attributes:
        licences: SPDX ids of allowed licences. Without one, licences are not judged.
        unmatched: Libraries from elsewhere than a registry that may stay without a match.
        max_update_age_days: Days since the last `lockgate db update` after which its data no longer counts.
        max_data_age_days: Days since the newest advisory in it was changed, at the supply gate, at the deploy gate and
            when serving.
    """

    licences: tuple[_Text, ...] = ()
    unmatched: tuple[UnmatchedLibrary, ...] = ()
    max_update_age_days: Annotated[float, Meta(gt=0, le=3_650)] = 7
    max_data_age_days: Annotated[float, Meta(gt=0, le=3_650)] = 30


class DataSetConfig(_Section, frozen=True, kw_only=True):
    """A data set that comes from outside, and what the project claims about it.

    Attributes:
        name: What it is called.
        origin: Where it comes from: an address or a package URL.
        revision: The commit id, version or snapshot that was taken.
        licence: Its SPDX licence, or an expression of several.
        files: SHA-256 of each of its files, by its path below `path`.
        path: The folder of the project in which a copy of it lies; empty where there is none.
    """

    name: _Text
    origin: _Text
    revision: str = ""
    licence: str = ""
    files: dict[_Text, _Sha256] = {}
    path: str = ""


class SourceConfig(_Section, frozen=True, kw_only=True):
    """A third party that the application relies on while it runs.

    Attributes:
        name: What it is called.
        kind: What it is for the application.
        address: Its host or a URL; `*.example.org` stands for every subdomain.
        reviewed_until: The last day on which its review counts.
        review: What was reviewed, and where that is written down.
    """

    name: _Text
    kind: Literal["model-api", "repository", "tool-server", "service"]
    address: Annotated[str, Meta(pattern="^[^\\s@]+$(?!\\n)")]
    reviewed_until: dt.date | None = None
    review: str = ""


class SupplyConfig(_Section, frozen=True, kw_only=True):
    """What the supply gate lets in, and what it looks at besides model files.

    Attributes:
        pickle_names: Names that pickles may use besides those of the frameworks' lists.
        dependencies: How the libraries that the project names are judged.
        data_sets: Data sets that come from outside.
        data_licences: SPDX ids of licences that those may have. Without one, any that is stated will do.
        sources: Third parties that the application relies on, with the review of each.
        history: Whether secrets are searched in the history, too, where the project is the top of a git repository.
        max_scan_age_hours: Oldest decision of a gate that still counts when deploying and serving; any where left out.
            The trust file may demand less.
        absent: What there is none of, or what is not examined, each with the reason: `models`, `vulnerabilities` of
            libraries, `dependencies` as a whole, `code`, `secrets`, reviews of third-party `sources`. Model files that
            lie there are examined anyway.
    """

    pickle_names: tuple[AllowedName, ...] = ()
    dependencies: DependencyConfig = DependencyConfig()
    data_sets: tuple[DataSetConfig, ...] = ()
    data_licences: tuple[_Text, ...] = ()
    sources: tuple[SourceConfig, ...] = ()
    history: bool = True
    max_scan_age_hours: Annotated[float, Meta(gt=0, le=87_600)] | None = None
    absent: dict[Part, _Text] = {}


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    SupplyConfig,
    AllowedName,
    DependencyConfig,
    UnmatchedLibrary,
    DataSetConfig,
    SourceConfig,
)
"""Every mapping of this part, for suggestions."""
