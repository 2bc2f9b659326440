"""Feeds mutated files to every reader of the supply stage and counts what comes of them.

Run `python bench/supply_fuzz.py`, or `--runs 10000` for a shorter one. A reader may pass a file, name a problem or
refuse it as malformed; any other exception stops the benchmark with the bytes that caused it.
"""

import argparse
import io
import json
import pickle
import platform
import random
import struct
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable

import numpy as np
from safetensors.numpy import save

from lockgate.detect.archive import open_member, read_zip
from lockgate.detect.gguf import Template, read_gguf
from lockgate.detect.npy import read_npy
from lockgate.detect.pickle_ops import read_pickle
from lockgate.detect.safetensors_header import read_safetensors
from lockgate.detect.source import MalformedError, Memory
from lockgate.detect.tar import read_tar
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
    every = [*pickles, gguf, tensors, array.getvalue(), packed.getvalue(), tarred.getvalue()]
    return {
        "pickle": (_pickle, pickles),
        "gguf": (_gguf, [gguf]),
        "safetensors": (_safetensors, [tensors]),
        "zip": (_zip, [packed.getvalue()]),
        "tar": (_tar, [tarred.getvalue()]),
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args()
    rows: dict[str, dict[str, object]] = {}
    for name, (reader, seeds) in _seeds().items():
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
