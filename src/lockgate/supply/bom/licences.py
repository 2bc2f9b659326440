"""SPDX ids of licences that models, data and code usually have (spdx.org/licenses)."""

_SPDX = {
    name.lower(): name
    for name in (
        "Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MPL-2.0", "GPL-2.0-only", "GPL-3.0-only",
        "GPL-3.0-or-later", "LGPL-2.1-only", "LGPL-3.0-only", "AGPL-3.0-only", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0",
        "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "Unlicense", "BSL-1.0", "EUPL-1.2",
        "OpenRAIL-M", "BigScience-OpenRAIL-M", "CDLA-Permissive-2.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0",
    )
    if "rail" not in name.lower()
}  # fmt: skip
_ALIASES = {"gpl-3.0": "GPL-3.0-only", "agpl-3.0": "AGPL-3.0-only", "lgpl-3.0": "LGPL-3.0-only"}


def licence_id(stated: str) -> str:
    """The SPDX id of a licence in its proper spelling; empty where it is none that is known here."""
    return _SPDX.get(stated.lower()) or _ALIASES.get(stated.lower()) or ""
