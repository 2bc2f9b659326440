"""How fast `lockgate sign` and `lockgate verify` are, beside parallel SHA-256 of the same files on the same machine.

    python bench/signing.py [--megabytes 1536] [--files 8] [--repeat 5]

The reference is the better of two: coreutils `sha256sum` with one process a core, and `hashlib.file_digest` with one
thread a core. Rounds alternate, and the best of each counts, so that other load on the machine matters least; the last
column compares processor time instead, which other load hardly changes. The reference tool for this format,
model-signing, runs too where it is installed (`pip install model-signing pyopenssl`).
"""

import argparse
import contextlib
import hashlib
import os
import platform
import secrets
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lockgate.evidence.signing import read_signing_key, sign_path, verify_path

CORES = os.cpu_count() or 1


def write_folder(folder: Path, megabytes: int, files: int) -> None:
    folder.mkdir()
    block = secrets.token_bytes(1 << 20)
    for number in range(files):
        with (folder / f"model-{number:05}-of-{files:05}.safetensors").open("wb") as stream:
            for _ in range(megabytes // files):
                stream.write(block)
    (folder / "config.json").write_text("{}", "utf-8")


def with_sha256sum(folder: Path) -> None:
    listed = "\0".join(str(path) for path in folder.iterdir() if path.name != "model.sig")
    command = ["xargs", "-0", "-n", "1", "-P", str(CORES), "sha256sum"]
    subprocess.run(command, input=listed.encode(), check=True, stdout=subprocess.DEVNULL)


def with_hashlib(folder: Path) -> None:
    def digest(path: Path) -> str:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    paths = sorted(folder.iterdir(), key=lambda path: path.stat().st_size, reverse=True)
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(digest, paths))


def rounds(folder: Path, key_file: Path) -> dict[str, Callable[[], object]]:
    key, place = read_signing_key(key_file), folder / "model.sig"
    place.write_bytes(sign_path(folder, key, signature=place)[0])

    def verified() -> None:
        assert verify_path(folder, place.read_bytes(), [key.public], signature=place).ok

    timed: dict[str, Callable[[], object]] = {
        "parallel sha256sum": lambda: with_sha256sum(folder),
        "parallel hashlib": lambda: with_hashlib(folder),
        "lockgate sign": lambda: sign_path(folder, key, signature=place),
        "lockgate verify": verified,
    }
    with contextlib.suppress(ImportError):
        from model_signing import signing  # noqa: PLC0415 - optional

        reference = signing.Config().use_elliptic_key_signer(private_key=str(key_file))
        timed["model-signing sign"] = lambda: reference.sign(folder, folder.parent / "reference.sig")
    return timed


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=int, default=1536)
    options.add_argument("--files", type=int, default=8)
    options.add_argument("--repeat", type=int, default=5)
    chosen = options.parse_args()
    base = Path(tempfile.mkdtemp())
    try:
        folder, key_file = base / "model", base / "key.pem"
        write_folder(folder, chosen.megabytes, chosen.files)
        made = ec.generate_private_key(ec.SECP256R1())
        key_file.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        timed = rounds(folder, key_file)
        seconds: dict[str, list[float]] = {name: [] for name in timed}
        processor: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(chosen.repeat):
            for name, work in timed.items():
                began, before = time.perf_counter(), sum(os.times()[:4])
                work()
                seconds[name].append(time.perf_counter() - began)
                processor[name].append(sum(os.times()[:4]) - before)
    finally:
        shutil.rmtree(base)
    references = ("parallel sha256sum", "parallel hashlib")
    best = min(found for name in references for found in seconds[name])
    least_work = min(found for name in references for found in processor[name])
    print(f"{chosen.megabytes} MiB in {chosen.files} files, {CORES} cores, {platform.machine()}, warm page cache")
    print(f"{'':<20} {'best s':>9} {'median s':>9} {'MiB/s':>7} {'of parallel sha256':>19} {'by processor time':>18}")
    for name, found in seconds.items():
        least, median = min(found), statistics.median(found)
        shares = f"{best / least:>19.2f} {least_work / min(processor[name]):>18.2f}"
        print(f"{name:<20} {least:>9.3f} {median:>9.3f} {chosen.megabytes / least:>7.0f} {shares}")


if __name__ == "__main__":
    main()
