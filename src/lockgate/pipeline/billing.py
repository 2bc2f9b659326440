"""Takes the inventory of a folder and turns it into a bill of materials that may be published."""

import datetime as dt
from pathlib import Path
from typing import Literal

from lockgate.core.errors import ConfigError
from lockgate.pipeline.errors import PipelineError
from lockgate.supply.bom import Inventory, problems_of, take_inventory, to_cyclonedx, to_spdx

Form = Literal["cyclonedx", "spdx"]


def write_bom(root: Path, *, at: dt.datetime | None, form: Form = "cyclonedx") -> tuple[dict[str, object], Inventory]:
    """The bill of materials of the application in `root`, and what it was made from.

    Args:
        root: The folder.
        at: When, or None for a reproducible document.
        form: The format.

    Raises:
        ConfigError: `root` is no folder.
        PipelineError: The document would break the format.
        LockgateError: The folder's `lockgate.yaml` cannot be understood, or the folder holds too many files.
    """
    if not root.is_dir():
        raise ConfigError(f"{root} is not a folder.", remedy="Name the folder of the application.")
    inventory = take_inventory(root)
    if form == "spdx":
        return to_spdx(inventory, at=at), inventory
    document = to_cyclonedx(inventory, at=at)
    if problems := problems_of(document):
        raise PipelineError(f"The bill of materials would break its format: {problems[0]}", remedy="Report this.")
    return document, inventory
