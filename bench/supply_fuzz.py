"""Feeds mutated files to every reader of the supply stage and counts what comes of them.

Run `python bench/supply_fuzz.py`, or `--runs 10000` for a shorter one. A reader may pass a file, name a problem or
refuse it as malformed; any other exception stops the benchmark with the bytes that caused it.
"""

import argparse
import bz2
import gzip
import io
import json
import lzma
import pickle
import platform
import random
import struct
import sys
import tarfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zstandard
from safetensors.numpy import save

sys.path.insert(0, str(Path(__file__).parent / "supply_corpus"))

from malicious import TRICKS, seven_zip, torch_legacy

from lockgate.detect.archive import open_member, read_zip
from lockgate.detect.compressed import read_compressed
from lockgate.detect.gguf import Template, read_gguf
from lockgate.detect.npy import read_npy
from lockgate.detect.pickle_ops import read_pickle
from lockgate.detect.safetensors_header import read_safetensors
from lockgate.detect.sevenzip import read_7z
from lockgate.detect.source import MalformedError, Memory
from lockgate.detect.tar import read_tar
from lockgate.detect.torchscript import read_code
from lockgate.supply.chat_template import read_template
from lockgate.supply.formats import read_model

TEMPLATE = "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content | trim }}{% endfor %}"


def _pickle(body: bytes) -> str:
    facts = read_pickle(Memory(body))
    if facts.problems:
        return "problem"
    return "refused name" if any(use.refused for use in facts.uses) else "pass"


def _gguf(body: bytes) -> str:
    return "problem" if read_gguf(Memory(body)).problems else "pass"


def _safetensors(body: bytes) -> str:
    return "problem" if read_safetensors(Memory(body)).problems else "pass"


def _zip(body: bytes) -> str:
    source = Memory(body)
    for member in read_zip(source):
        open_member(source, member)
    return "pass"


def _tar(body: bytes) -> str:
    read_tar(Memory(body))
    return "pass"


def _seven_zip(body: bytes) -> str:
    # With its checksums mended a mutated header gets further than the first comparison.
    if len(body) > 32 and len(body) % 4:
        offset, size = struct.unpack("<QQ", body[12:28])
        header = body[32 + offset : 32 + offset + size] if offset < len(body) else b""
        start = struct.pack("<QQI", offset, len(body) - 32 - offset, zlib.crc32(header)) if header else body[12:32]
        body = body[:8] + struct.pack("<I", zlib.crc32(start)) + start + body[32:]
    read_7z(Memory(body))
    return "pass"


def _compressed(body: bytes) -> str:
    inflated = read_compressed(Memory(body), most=1 << 20)
    inflated.read(0, inflated.size)
    return "pass"


def _code(body: bytes) -> str:
    return "problem" if read_code(Memory(body)) else "pass"


def _npy(body: bytes) -> str:
    read_npy(Memory(body))
    return "pass"


def _template(body: bytes) -> str:
    return "problem" if read_template(Template("t", body.decode("utf-8", "replace"))).problem else "pass"


def _model(body: bytes) -> str:
    facts = read_model(Memory(body), "model.bin")
    return f"told {facts.format}" if not facts.problems else "problem"


def _seeds() -> dict[str, tuple[Callable[[bytes], str], list[bytes]]]:
    value = {"w": np.arange(6.0), "names": ["a", "b"], "t": (1, 2.5, None), "s": {1, 2}}
    pickles = [pickle.dumps(value, protocol=protocol) for protocol in range(6)]
    pickles += [b"cposix\nsystem\n(S'x'\ntR.", b"\x80\x04\x8c\x08builtins\x94\x8c\x04eval\x94\x93\x8c\x011\x85R."]
    pickles += [body for body, _, _ in TRICKS.values() if len(body) < 2_000]
    pickles.append(torch_legacy(pickle.dumps(value, protocol=2)))
    script = b"class M(Module):\n  w : Tensor\n"
    script += b"  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n    return torch.add(x, 1)\n"
    plain = pickle.dumps(value)
    packed_streams = [
        gzip.compress(plain, mtime=0),
        zlib.compress(plain),
        bz2.compress(plain),
        lzma.compress(plain),
        lzma.compress(plain, lzma.FORMAT_ALONE),
        zstandard.compress(plain),
    ]
    sevens = [seven_zip(plain), seven_zip(b"")]
    pair = struct.pack("<Q", 1) + b"k" + struct.pack("<I", 8) + struct.pack("<Q", 2) + b"vv"
    tensor = struct.pack("<Q", 1) + b"t" + struct.pack("<IQIQ", 1, 8, 0, 0)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + pair + tensor
    gguf = head + bytes(-len(head) % 32) + bytes(32)
    tensors = save({"a": np.ones((2, 2), dtype=np.float32), "b": np.zeros(3, dtype=np.int8)})
    array, packed, tarred = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(array, np.zeros((2, 3)))
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", pickles[2])
        archive.writestr("a.npy", array.getvalue())
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        entry = tarfile.TarInfo("m.safetensors")
        entry.size = len(tensors)
        archive.addfile(entry, io.BytesIO(tensors))
    every = [*pickles, gguf, tensors, array.getvalue(), packed.getvalue(), tarred.getvalue(), *packed_streams, *sevens]
    return {
        "pickle": (_pickle, pickles),
        "gguf": (_gguf, [gguf]),
        "safetensors": (_safetensors, [tensors]),
        "zip": (_zip, [packed.getvalue()]),
        "tar": (_tar, [tarred.getvalue()]),
        "7z": (_seven_zip, sevens),
        "compressed": (_compressed, packed_streams),
        "torchscript": (_code, [script]),
        "npy": (_npy, [array.getvalue()]),
        "chat template": (_template, [TEMPLATE.encode()]),
        "any file": (_model, every),
    }


def _mutate(seed: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(200))
    body = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(body) + 1)
        kind = chance.random()
        if kind < 0.6 and at < len(body):
            body[at] ^= 1 << chance.randrange(8)
        elif kind < 0.8:
            body[at : at + chance.randrange(9)] = chance.randbytes(chance.randrange(9))
        else:
            other = chance.randrange(len(body) + 1)
            body[at:at] = body[other : other + chance.randrange(40)]
    return bytes(body)


def _run(reader: Callable[[bytes], str], seeds: list[bytes], runs: int, seed: int) -> tuple[Counter[str], float, float]:
    chance = random.Random(seed)
    counts: Counter[str] = Counter()
    slowest = 0.0
    start = time.perf_counter()
    for _ in range(runs):
        body = _mutate(chance.choice(seeds), chance)
        before = time.perf_counter()
        try:
            counts[reader(body)] += 1
        except MalformedError:
            counts["malformed"] += 1
        except Exception:
            print(f"a reader failed on {body!r}", file=sys.stderr)
            raise
        slowest = max(slowest, time.perf_counter() - before)
    return counts, time.perf_counter() - start, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutated files against every reader.")
    parser.add_argument("--runs", type=int, default=100_000, help="files for each reader")
    parser.add_argument("--only", action="append", default=[], help="name of a reader; every one if left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args()
    rows: dict[str, dict[str, object]] = {}
    for name, (reader, seeds) in _seeds().items():
        if chosen.only and name not in chosen.only:
            continue
        counts, seconds, slowest = _run(reader, seeds, chosen.runs, chosen.seed)
        rows[name] = {"outcomes": dict(counts.most_common()), "seconds": seconds, "slowest_ms": slowest * 1000}
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    if chosen.json:
        print(json.dumps({"machine": machine, "runs": chosen.runs, "seed": chosen.seed, "readers": rows}, indent=2))
        return
    print(f"{chosen.runs:,} mutated files for each reader, seed {chosen.seed}; {machine}\n")
    for name, row in rows.items():
        print(f"{name:14} {row['seconds']:7.1f} s  slowest {row['slowest_ms']:6.1f} ms  {row['outcomes']}")


if __name__ == "__main__":
    main()
