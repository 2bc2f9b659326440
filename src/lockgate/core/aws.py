"""Clients of AWS services through boto3, which only an extra installs."""

import importlib
from typing import Any, cast

from lockgate.core.errors import ConfigError

_TIMEOUT_S = 60

Errors = tuple[type[Exception], ...]


def connect(service: str, *, purpose: str, extra: str, region: str | None = None) -> tuple[Any, Errors]:
    """A client that takes its region, endpoint and credentials where AWS's own tools take them.

    Args:
        service: Name of the service.
        purpose: What needs it, as the beginning of a sentence.
        extra: The extra of Lockgate that installs boto3.
        region: The region where a name states it.

    Returns:
        The client, and the errors that its calls raise.

    Raises:
        ConfigError: boto3 is not installed, or what it is told by the environment makes no client.
    """
    try:
        boto3: Any = importlib.import_module("boto3")
        config: Any = importlib.import_module("botocore.config")
        exceptions: Any = importlib.import_module("botocore.exceptions")
    except ImportError as error:
        remedy = f"pip install 'lockgate[{extra}]'."
        raise ConfigError(f"{purpose} needs boto3, which is not installed.", remedy=remedy) from error
    errors: Errors = (exceptions.BotoCoreError, exceptions.ClientError, OSError)
    settings = config.Config(connect_timeout=10, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 3})
    try:
        return boto3.session.Session().client(service, region_name=region, config=settings), errors
    except (*errors, ValueError) as error:
        remedy = "Check the usual AWS_* variables and the profile."
        raise ConfigError(f"{purpose} is not possible: {reason(error)}.", remedy=remedy) from error


def reason(error: Exception) -> str:
    """What the service answered, in one word; messages of the client may repeat addresses and keys."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        stated = cast("dict[str, dict[str, object]]", response).get("Error", {}).get("Code", "")
        return str(stated)[:80] or type(error).__name__
    return type(error).__name__
