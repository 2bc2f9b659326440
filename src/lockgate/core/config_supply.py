"""Settings of `supply`: what this project lets in although no list of ours has it."""

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


class SupplyConfig(_Section, frozen=True, kw_only=True):
    """What the supply gate lets in.

    Attributes:
        pickle_names: Names that pickles may use besides those of the frameworks' lists.
    """

    pickle_names: tuple[AllowedName, ...] = ()


SECTIONS: tuple[type[msgspec.Struct], ...] = (SupplyConfig, AllowedName)
"""Every mapping of this part, for suggestions."""
