"""`lockgate verify`."""

from pathlib import Path

import click
from msgspec import to_builtins

from lockgate.cli.entry import EXIT_HELD, EXIT_OPEN
from lockgate.cli.output import emit_json, printable
from lockgate.evidence.signing import Verification
from lockgate.pipeline.signing import allowed, certificate_trust, keyless_trust, verify_signed

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_name",
    metavar="FILE|awskms:NAME|pkcs11:URI",
    help="The signer's public key: a PEM file, or in AWS KMS or on a token, which is asked for it.",
)
@click.option("--trust", "trust_file", type=_FILE, help="Trust file, instead of --key.")
@click.option("--sigstore", is_flag=True, help="It is signed through Sigstore. Nothing is asked over the network.")
@click.option("--identity", default="", help="Who must have signed: an e-mail address, a workflow's URI, in full.")
@click.option("--identity-pattern", default="", help="The same with '*' for letters, digits, '.', '_', '+' and '-'.")
@click.option("--identity-provider", default="", metavar="URL", help="The issuer that vouches for the identity.")
@click.option(
    "--trust-root",
    type=_FILE,
    help="The Sigstore instance's trusted root or client trust configuration. Default: sigstore.dev, as the installed "
    "package sigstore knows it.",
)
@click.option(
    "--certificate-chain",
    type=_FILE,
    multiple=True,
    help="It is signed with a certificate: the authorities (PEM) that you trust. --identity names the signer.",
)
@click.option(
    "--signature",
    type=_FILE,
    help="Signature file. By default model.sig in the folder, or FILE.sig beside a single file.",
)
@click.option("--ignore", multiple=True, help="Path below the folder that you accept without looking at it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    path: Path,
    key_name: str | None,
    trust_file: Path | None,
    sigstore: bool,
    identity: str,
    identity_pattern: str,
    identity_provider: str,
    trust_root: Path | None,
    certificate_chain: tuple[Path, ...],
    signature: Path | None,
    ignore: tuple[str, ...],
    as_json: bool,
) -> int:
    """Verify that PATH, a folder or a file, is what was signed: every file of it, and no other.

    Exit code 0 when it is, 1 when it is not, 2 when it cannot be told. Without --key and --trust the keys of this
    machine count.
    """
    if sum((bool(key_name or trust_file), sigstore, bool(certificate_chain))) > 1:
        raise click.UsageError("Keys (--key, --trust), --sigstore or --certificate-chain: name one kind of signature.")
    if not sigstore and (identity_pattern or identity_provider):
        raise click.UsageError("--identity-pattern and --identity-provider belong to --sigstore.")
    if trust_root and not (sigstore or trust_file):
        raise click.UsageError("--trust-root belongs to --sigstore, or to a --trust file that names signers.")
    if identity and not (sigstore or certificate_chain):
        raise click.UsageError("--identity belongs to --sigstore or --certificate-chain.")
    if sigstore:
        trusted = keyless_trust(
            identity=identity, pattern=identity_pattern, issuer=identity_provider, trust_root=trust_root
        )
    elif certificate_chain:
        trusted = certificate_trust(certificate_chain, identity)
    else:
        trusted = allowed(key_name, trust_file, trust_root)
    found = verify_signed(path, trusted, signature=signature, ignore=ignore)
    if as_json:
        emit_json(
            {
                "verified": found.ok,
                **to_builtins(found.who),
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
        signer = printable(str(found.who))
        click.secho(f"Verified: {found.files} files ({found.size:,} bytes) as signed by {signer}.", fg="green")
    for difference in found.differences:
        click.secho(f"NOT VERIFIED  {printable(difference.message)}", fg="red", err=True)
    for item in found.ignored:
        click.echo(f"Note: nobody looked at {printable(item)}.")
