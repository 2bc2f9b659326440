"""What the job ran on: interpreter, platform, installed distributions."""

import importlib.metadata
import platform
import site
import sysconfig
from collections.abc import Iterable, Iterator

from lockgate.train.recording import Distribution, Environment


def describe_environment(variables: Iterable[str]) -> Environment:
    """Describe the running interpreter, which is the one that `python` names inside a job.

    Args:
        variables: Names of the environment variables that the job was given.
    """
    return Environment(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.machine()}",
        distributions=tuple(sorted(set(_distributions()))),
        variables=tuple(sorted(variables)),
    )


def _distributions() -> Iterator[Distribution]:
    # Not sys.path: it also names folders that only this process can import from.
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    for found in importlib.metadata.distributions(path=sorted(folders)):
        if "Name" in found.metadata and "Version" in found.metadata:
            yield Distribution(_normalised(found.metadata["Name"]), found.metadata["Version"])


def _normalised(name: str) -> str:
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
