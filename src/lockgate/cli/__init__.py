"""The `lockgate` command: parse, call, print, exit. Exit codes: 0 open, 1 held, 2 usage or internal error."""

from lockgate.cli.entry import main

__all__ = ["main"]
