"""`lockgate sign`."""

from functools import partial
from pathlib import Path

import click
from msgspec import to_builtins

from lockgate.cli.output import emit_json, printable
from lockgate.evidence import Role, key_for
from lockgate.evidence.signing import (
    CertifiedSigner,
    KeylessSigner,
    KeySigner,
    open_to_others,
    read_certificates,
    read_signing_key,
    read_token,
    seal_path,
)
from lockgate.pipeline.signing import default_signature

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_name",
    metavar="FILE|awskms:NAME|pkcs11:URI",
    help="Private ECDSA P-256 key: a PEM file, in AWS KMS or on a token. Default: the builder's key of this machine.",
)
@click.option("--certificate", type=_FILE, help="The key's certificate (PEM), which the signature then carries.")
@click.option(
    "--certificate-chain", type=_FILE, multiple=True, help="Certificates (PEM) that lead from it to its authority."
)
@click.option("--sigstore", is_flag=True, help="Sign through Sigstore, without a key, in the name of a token.")
@click.option(
    "--identity-token",
    type=_FILE,
    help="File with the token. Default: SIGSTORE_ID_TOKEN, or what the CI service or cloud offers.",
)
@click.option("--trust-config", type=_FILE, help="The Sigstore instance's client trust configuration.")
@click.option(
    "--out",
    "--signature",
    "out",
    type=_FILE,
    help="Signature file. By default model.sig in the folder, or FILE.sig beside a single file.",
)
@click.option("--ignore", multiple=True, help="Path below the folder that is not signed. The signature says so.")
@click.option("--shard-size", type=click.IntRange(min=1), help="Hash files in shards of so many bytes, in parallel.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sign(
    path: Path,
    key_name: str | None,
    certificate: Path | None,
    certificate_chain: tuple[Path, ...],
    sigstore: bool,
    identity_token: Path | None,
    trust_config: Path | None,
    out: Path | None,
    ignore: tuple[str, ...],
    shard_size: int | None,
    as_json: bool,
) -> None:
    """Sign a model, a data set or prompts: every file of the folder PATH, or the one file PATH.

    The signature is an OpenSSF model-signing bundle, which other tools verify too.
    """
    if sigstore and (key_name or certificate or certificate_chain):
        raise click.UsageError("--sigstore signs without a key: drop --key, --certificate and --certificate-chain.")
    if not sigstore and (identity_token or trust_config):
        raise click.UsageError("--identity-token and --trust-config belong to --sigstore.")
    if certificate_chain and not certificate:
        raise click.UsageError("--certificate-chain leads from a certificate: name it with --certificate.")
    place = out or default_signature(path)
    signer = (
        KeylessSigner.at(trust_config, partial(read_token, identity_token))
        if sigstore
        else _with_key(key_name, certificate, certificate_chain)
    )
    bundle, hashed = seal_path(path, signer.seal, signature=place, ignore=ignore, shard_size=shard_size or 0)
    place.write_bytes(bundle)
    if as_json:
        facts = {"files": len(hashed.digests), "bytes": hashed.size}
        emit_json({"signature": str(place), **to_builtins(signer.who), **facts})
    else:
        done = f"Signed {len(hashed.digests)} files ({hashed.size:,} bytes) by {printable(str(signer.who))}"
        click.echo(f"{done}: {printable(str(place))}")


def _with_key(name: str | None, certificate: Path | None, chain: tuple[Path, ...]) -> KeySigner | CertifiedSigner:
    key = read_signing_key(name) if name else key_for(Role.BUILDER)
    if name and open_to_others(name):
        click.echo(f"Note: {printable(name)} is open to other users of this machine.", err=True)
    return CertifiedSigner(key, read_certificates((certificate, *chain))) if certificate else KeySigner(key)
