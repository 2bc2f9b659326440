"""Where a secret lies, as settings write it: `env:NAME`, `file:PATH`, `vault:PATH#FIELD`, `aws-secretsmanager:NAME`."""

from typing import Literal

import msgspec

from lockgate.gateway.errors import GatewayError

Kind = Literal["env", "file", "vault", "aws-secretsmanager"]


class Reference(msgspec.Struct, frozen=True):
    """The place of a secret, which is no secret itself.

    Attributes:
        kind: Which source.
        name: Variable, path or name there.
        field: Field of a secret with several; empty for the whole.
    """

    kind: Kind
    name: str
    field: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}{'#' if self.field else ''}{self.field}"


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Raises:
        GatewayError: It names no source, or no place in it.
    """
    kind, _, rest = text.partition(":")
    match kind:
        case "env" | "file" if rest:
            return Reference(kind, rest)
        case "vault":
            path, _, field = rest.rpartition("#")
            if _is_path(path) and field:
                return Reference(kind, path, field)
        case "aws-secretsmanager":
            name, _, field = rest.partition("#")
            if name:
                return Reference(kind, name, field)
        case _:
            pass
    raise GatewayError(
        "A reference to a secret cannot be understood.",
        remedy="Write env:NAME, file:PATH, vault:PATH#FIELD, or aws-secretsmanager:NAME with or without #FIELD.",
    )


def _is_path(path: str) -> bool:
    return path.isprintable() and all(part not in {"", ".", ".."} for part in path.split("/"))
