"""`lockgate sign`."""

from pathlib import Path

import click

from lockgate.cli.output import emit_json, printable
from lockgate.evidence import Role, key_for
from lockgate.evidence.signing import open_to_others, read_signing_key, sign_path
from lockgate.pipeline.signing import default_signature


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_name",
    metavar="FILE|awskms:NAME|pkcs11:URI",
    help="Private ECDSA P-256 key: a PEM file, in AWS KMS or on a token. Default: the builder's key of this machine.",
)
@click.option(
    "--out",
    "--signature",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Signature file. By default model.sig in the folder, or FILE.sig beside a single file.",
)
@click.option("--ignore", multiple=True, help="Path below the folder that is not signed. The signature says so.")
@click.option("--shard-size", type=click.IntRange(min=1), help="Hash files in shards of so many bytes, in parallel.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def sign(
    path: Path, key_name: str | None, out: Path | None, ignore: tuple[str, ...], shard_size: int | None, as_json: bool
) -> None:
    """Sign a model, a data set or prompts: every file of the folder PATH, or the one file PATH.

    The signature is an OpenSSF model-signing bundle, which other tools verify too.
    """
    place = out or default_signature(path)
    key = read_signing_key(key_name) if key_name else key_for(Role.BUILDER)
    if key_name and open_to_others(key_name):
        click.echo(f"Note: {printable(key_name)} is open to other users of this machine.", err=True)
    bundle, hashed = sign_path(path, key, signature=place, ignore=ignore, shard_size=shard_size or 0)
    place.write_bytes(bundle)
    keyid = key.public.keyid
    if as_json:
        emit_json({"signature": str(place), "keyid": keyid, "files": len(hashed.digests), "bytes": hashed.size})
    else:
        shown = printable(str(place))
        click.echo(f"Signed {len(hashed.digests)} files ({hashed.size:,} bytes) with key {keyid[:12]}: {shown}")
