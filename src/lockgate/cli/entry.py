"""The top-level command, whose subcommands are imported only when they are used."""

import importlib
import os
import sys
from typing import Any, ClassVar

import click

from lockgate import __version__
from lockgate.cli.output import fail
from lockgate.core.errors import LockgateError

EXIT_OPEN = 0
EXIT_HELD = 1
EXIT_ERROR = 2


class LazyGroup(click.Group):
    """A group that knows its commands by name and help, and imports a command's module when it is called."""

    commands_by_name: ClassVar[dict[str, tuple[str, str]]] = {
        "run": ("lockgate.cli.run:run", "Take a project through its gates."),
        "serve": ("lockgate.cli.serve:serve", "Serve the guarded endpoint of a project whose deploy gate is OPEN."),
        "init": ("lockgate.cli.init:init", "Write a commented lockgate.yaml."),
        "manifest": ("lockgate.cli.manifest:manifest", "Write the integrity manifest of a project."),
        "approve": ("lockgate.cli.approve:approve", "Sign that a project may be deployed."),
        "record": (
            "lockgate.cli.record:record",
            "Run a training command isolated, and sign what went in and came out.",
        ),
        "evidence": ("lockgate.cli.evidence:evidence", "List, show and verify the signed evidence of a project."),
        "sign": ("lockgate.cli.sign:sign", "Sign a model, a data set or prompts."),
        "verify": ("lockgate.cli.verify:verify", "Verify that a folder or file is what was signed."),
        "scan": ("lockgate.cli.scan:scan", "Look for danger in models, dependencies, code and secrets."),
        "db": ("lockgate.cli.db:db", "Keep the vulnerability database of 'lockgate scan deps'."),
        "redteam": ("lockgate.cli.redteam:redteam", "Attack a project, an endpoint or a function, and hold the gate."),
        "bom": ("lockgate.cli.bom:bom", "Write a bill of materials (CycloneDX)."),
        "guard": ("lockgate.cli.guard:guard", "Judge a text as the gateway would."),
        "explain": ("lockgate.cli.explain:explain", "Print a check's manual page."),
        "key": ("lockgate.cli.key:key", "Create, list and revoke API keys of the endpoint."),
        "keys": ("lockgate.cli.keys:keys", "Create and list signing keys, and write a trust file."),
        "schema": ("lockgate.cli.schema:schema", "Print the JSON schema of lockgate.yaml."),
        "doctor": ("lockgate.cli.doctor:doctor", "Say what is missing on this machine."),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order in which a newcomer needs them."""
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command's module now that it is needed."""
        if cmd_name not in self.commands_by_name:
            return None
        module, _, name = self.commands_by_name[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - same
        """List the commands from the table, so that --help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_by_name.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="lockgate %(version)s")
def lockgate() -> None:
    """Gates that open only on signed evidence, and a guard at runtime, for generative-AI applications.

    Start with 'lockgate init', then 'lockgate run DIR'. Exit codes: 0 all gates open, 1 a gate is held, 2 the command
    could not do its work.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    given = sys.argv[1:] if arguments is None else arguments
    as_json = "--json" in given
    # Click knows terminals but not NO_COLOR; None leaves the choice to it.
    color = False if os.environ.get("NO_COLOR") else None
    try:
        code: Any = lockgate.main(given, prog_name="lockgate", standalone_mode=False, color=color)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True, color=color)
        code = EXIT_ERROR
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"Try '{context.command_path} --help'." if isinstance(context, click.Context) else ""
        # Click lists choices on lines of their own.
        fail(" ".join(error.format_message().split()), remedy=hint, as_json=as_json)
        code = EXIT_ERROR
    except LockgateError as error:
        fail(error.message, remedy=error.remedy, as_json=as_json)
        code = EXIT_ERROR
    except (KeyboardInterrupt, click.Abort):
        fail("Interrupted.", remedy="Run the same command again to go on.", as_json=as_json)
        code = EXIT_ERROR
    except BrokenPipeError:
        code = EXIT_ERROR
    except SystemExit:  # click's own end where the reader of our output has gone
        code = EXIT_ERROR
    except OSError as error:
        is_path = isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError)
        remedy = "Correct the path." if is_path else "Free some space, or give this user permission."
        fail(f"Input or output failed: {_kind(error)}", remedy=remedy, as_json=as_json)
        code = EXIT_ERROR
    except Exception as error:
        if os.environ.get("LOCKGATE_DEBUG"):
            raise
        remedy = "Set LOCKGATE_DEBUG=1 for the traceback, and report it."
        fail(f"Internal error ({type(error).__name__}): {_kind(error)}", remedy=remedy, as_json=as_json)
        code = EXIT_ERROR
    sys.exit(_flushed(code if isinstance(code, int) else EXIT_OPEN))


def _flushed(code: int) -> int:
    """The exit code, after everything was written; an error where the reader of our output has gone."""
    try:
        sys.stdout.flush()
    except OSError:
        # Point standard output elsewhere so that the interpreter's own last flush is quiet.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    return code


def _kind(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or 'input/output error'}{f' ({error.filename})' if error.filename else ''}."
    return "this is a bug, and nothing was let through."
