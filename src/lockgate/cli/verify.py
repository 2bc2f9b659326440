"""`lockgate verify`."""

from pathlib import Path

import click

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.evidence.signing import Verification
from lockgate.pipeline.signing import allowed_keys, verify_signed


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_name",
    metavar="FILE|awskms:NAME|pkcs11:URI",
    help="The signer's public key: a PEM file, or in AWS KMS or on a token, which is asked for it.",
)
@click.option(
    "--trust", "trust_file", type=click.Path(path_type=Path, dir_okay=False), help="Trust file, instead of --key."
)
@click.option(
    "--signature",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Signature file. By default model.sig in the folder, or FILE.sig beside a single file.",
)
@click.option("--ignore", multiple=True, help="Path below the folder that you accept without looking at it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    path: Path,
    key_name: str | None,
    trust_file: Path | None,
    signature: Path | None,
    ignore: tuple[str, ...],
    as_json: bool,
) -> int:
    """Verify that PATH, a folder or a file, is what was signed: every file of it, and no other.

    Exit code 0 when it is, 1 when it is not, 2 when it cannot be told. Without --key and --trust the keys of this
    machine count.
    """
    found = verify_signed(path, allowed_keys(key_name, trust_file), signature=signature, ignore=ignore)
    if as_json:
        emit_json(
            {
                "verified": found.ok,
                "keyid": found.keyid,
                "files": found.files,
                "bytes": found.size,
                "ignored": found.ignored,
                "reasons": found.differences,
            }
        )
    else:
        _print(found)
    return EXIT_OPEN if found.ok else EXIT_HELD


def _print(found: Verification) -> None:
    if found.ok:
        signer = f"key {found.keyid[:12]}"
        click.secho(f"Verified: {found.files} files ({found.size:,} bytes) as signed by {signer}.", fg="green")
    for difference in found.differences:
        click.secho(f"NOT VERIFIED  {printable(difference.message)}", fg="red", err=True)
    for item in found.ignored:
        click.echo(f"Note: nobody looked at {printable(item)}.")
