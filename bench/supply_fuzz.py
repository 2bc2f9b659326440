"""Feeds mutated files to every reader of the supply stage and counts what comes of them.

Run `python bench/supply_fuzz.py`, or `--runs 10000` for a shorter one. A reader may pass a file, name a problem or
refuse it as malformed; any other exception stops the benchmark with the bytes that caused it.
"""

import argparse
import bz2
import gzip
import importlib
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
from types import ModuleType

import numpy as np
import zstandard
from safetensors.numpy import save

sys.path.insert(0, str(Path(__file__).parent / "supply_corpus"))

from malicious import TRICKS, seven_zip, torch_legacy

from lockgate.detect.archive import open_member, read_zip
from lockgate.detect.compressed import read_compressed
from lockgate.detect.config_tree import walk_json, walk_yaml
from lockgate.detect.coreml_model import walk_coreml
from lockgate.detect.event_records import walk_events
from lockgate.detect.gguf import Template, read_gguf
from lockgate.detect.hdf5 import read_hdf5
from lockgate.detect.keras_config import walk_keras
from lockgate.detect.msgpack_tree import walk_msgpack
from lockgate.detect.npy import read_npy
from lockgate.detect.onnx_graph import walk_onnx
from lockgate.detect.part import Notes
from lockgate.detect.pickle_ops import read_pickle
from lockgate.detect.r_data import walk_r_data
from lockgate.detect.safetensors_header import read_safetensors
from lockgate.detect.sentencepiece_model import walk_sentencepiece
from lockgate.detect.sevenzip import read_7z
from lockgate.detect.skops_schema import walk_skops
from lockgate.detect.source import MalformedError, Memory, Source
from lockgate.detect.tar import read_tar
from lockgate.detect.tensorflow_graph import walk_tensorflow
from lockgate.detect.tensorflow_index import walk_index
from lockgate.detect.text_graph import walk_text_graph
from lockgate.detect.tflite_graph import walk_tflite
from lockgate.detect.torchscript import read_code
from lockgate.detect.ubjson_tree import walk_ubjson
from lockgate.detect.xml_model import walk_xml
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


def _walked(walk: Callable[[Source, Notes], object]) -> Callable[[bytes], str]:
    """A reader of a format that is walked as a whole."""

    def read(body: bytes) -> str:
        notes = Notes()
        walk(Memory(body), notes)
        facts = notes.facts("fuzz", "")
        return "problem" if facts.problems else "names" if facts.mentions else "pass"

    return read


def _hdf5(body: bytes) -> str:
    tree = read_hdf5(Memory(body))
    return "problem" if tree.outside or tree.unread else "pass"


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
        **_walked_seeds(),
    }


def _walked_seeds() -> dict[str, tuple[Callable[[bytes], str], list[bytes]]]:
    """The formats whose reader walks them as a whole, with small files of each."""
    frame = b"\x04\x22\x4d\x18" + b"\x60\x40\x82"
    block = b"\x1fA\x01\x00\x0a\x50BCDEF"
    stored = struct.pack("<I", 1 << 31 | 5) + b"hello"
    lz4 = [frame + struct.pack("<I", len(block)) + block + stored + bytes(4), frame + stored * 3 + bytes(4)]
    graph = b'node { name: "a" op: "Add" attr { key: "T" value { type: DT_FLOAT } } }\n'
    graph += b'library { function { signature { name: "f" } node_def { op: "MatMul" } } } # end\n'
    node = b"\x0a\x01x\x12\x01y\x22\x04Relu\x3a\x00"
    onnx = b"\x08\x08\x12\x04test\x42\x04\x0a\x00\x10\x11\x3a" + bytes([len(node) + 8]) + b"\x12\x04main"
    onnx += b"\x0a" + bytes([len(node)]) + node
    frozen = b"\x0a\x0b\x0a\x01a\x12\x06MatMul" + b"\x0a\x08\x0a\x01b\x12\x03Add" + b"\x22\x02\x08\x10"
    packed = b"\x81\xa1w\xc7\x15\x01\x93\x91\x02\xa7float32\xc4\x08" + bytes(8)
    ubjson = b"{L" + struct.pack(">q", 7) + b"learner[$d#i\x02" + bytes(8) + b"i\x01n[#i\x02i\x03Si\x02ab}"
    event = b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2"
    events = struct.pack("<QI", len(event), 0) + event + bytes(4)
    r_data = b"X\n" + struct.pack(">iii", 2, 0x40000, 0x20300) + struct.pack(">iidd", 14, 2, 0.5, 1.5)
    index = bytes(13) + b"\x00\x04\x04\x04" + bytes(36) + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
    settings = b'{"auto_map": {"a": ["b", {"c": 1}]}, "chat_template": "{{ x }}", "class_path": "os.system"}'
    yaml = b"a: &a [*a, {b: !!python/name:x y}]\n_target_: torch.nn.Linear\n"
    keras = b'{"class_name": "Dense", "module": "keras.layers", "config": {"units": 3, "function": "x"}}'
    skops = b'{"__class__": "Ridge", "__module__": "sklearn.linear_model._ridge", "__loader__": "ObjectNode"}'
    pmml = b"<PMML><Apply function='a'/><Extension name='b'>c</Extension></PMML>"
    pieces = b"\x0a\x08\x0a\x01a\x15" + bytes(4) + b"\x0a\x08\x0a\x01b\x15" + bytes(4)

    def text(walk: Callable[[str, Notes], None]) -> Callable[[bytes], str]:
        return _walked(lambda source, notes: walk(source.read(0, source.size).decode("utf-8", "replace"), notes))

    return {
        "lz4": (_compressed, lz4),
        "text graph": (_walked(walk_text_graph), [graph, b'layer { type: "Python" python_param { module: "m" } }']),
        "hdf5": (_hdf5, _hdf5_samples()),
        "onnx": (_walked(walk_onnx), [onnx]),
        "tensorflow": (_walked(walk_tensorflow), [frozen]),
        "tflite": (_walked(walk_tflite), [_of_tests("test_graphs").tflite()]),
        "coreml": (_walked(walk_coreml), [b"\x08\x05\xa2\x1f\x06\x0a\x04\x0a\x02ab", b"\x08\x05\x12\x00\xaa\x1f\x00"]),
        "msgpack": (_walked(walk_msgpack), [packed]),
        "ubjson": (_walked(walk_ubjson), [ubjson]),
        "events": (_walked(walk_events), [events * 3]),
        "r data": (_walked(walk_r_data), [r_data]),
        "tf index": (_walked(walk_index), [index]),
        "sentencepiece": (_walked(walk_sentencepiece), [pieces]),
        "json": (_walked(lambda source, notes: walk_json(source, notes, name="config.json")), [settings]),
        "yaml": (_walked(lambda source, notes: walk_yaml(source, notes, name="x.yaml")), [yaml]),
        "xml": (_walked(walk_xml), [pmml]),
        "keras": (text(walk_keras), [keras]),
        "skops": (text(walk_skops), [skops]),
    }


def _of_tests(name: str) -> ModuleType:
    """A module beside the tests that assembles files."""
    folder = str(Path(__file__).parents[1] / "tests/supply")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(name)


def _hdf5_samples() -> list[bytes]:
    """Files of the tests, with links and attributes stored densely."""
    files = _of_tests("files")
    links = [files.hard_link(f"{number:04d}", 48) for number in range(20)]
    texts = [files.attribute(f"a{number}", "text") for number in range(12)]
    return [bytes(files.DenseFile(links, texts).body), files.hdf5({"model_config": "{}", "a": "b"})]


def _mutate(seed: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(200))
    body = bytearray(seed)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
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
