"""Feeds damaged bundles and statements to the reader of model signatures, and damaged files to those of `lockgate bom`.

    python bench/signing_fuzz.py [--runs 100000]

A reader may refuse or say nothing; another exception, or a signature that passes, stops the run and prints the bytes.
"""

import argparse
import json
import struct
import tempfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from fuzzing import feed

from lockgate.evidence import EvidenceError, SigningKey
from lockgate.evidence.signing import read_bundle, sign_path, verify_bundle
from lockgate.evidence.signing.statement import decode_manifest
from lockgate.supply.bom import read_code, read_dependencies, read_mcp_settings
from lockgate.supply.bom.snapshot import read_snapshot
from lockgate.supply.bom.weights import read_weights

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
README = b"---\nlicense: mit\nbase_model: [a/b]\ndatasets: c/d\n---\n"
CODE = b'm = AutoModel.from_pretrained("a/b")\nSYSTEM_PROMPT = f"x"\nc = OpenAI(base_url="https://h/v1")\n'


def _bundle(body: bytes, whole: bytes) -> str:
    try:
        bundle = read_bundle(body)
        verify_bundle(bundle, [KEY.public])
    except EvidenceError:
        return "refused"
    # White space between the members of a JSON document changes nothing that was signed.
    if json.loads(body) == json.loads(whole):
        return "same document"
    raise AssertionError("a damaged bundle passed")


def _statement(body: bytes) -> str:
    try:
        decode_manifest(body)
    except EvidenceError:
        return "refused"
    return "read"


def _raising(read: Callable[[bytes], object]) -> Callable[[bytes], str]:
    def call(body: bytes) -> str:
        try:
            return "read" if read(body) else "nothing"
        except ValueError:
            return "refused"

    return call


def seeds() -> dict[str, tuple[bytes, Callable[[bytes], str]]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "weights.bin").write_bytes(b"w")
        bundle, _ = sign_path(Path(folder), KEY, signature=Path(folder) / "model.sig")
    key = struct.pack("<Q", 20) + b"general.architecture" + struct.pack("<IQ", 8, 5) + b"llama"
    tensor = struct.pack("<Q", 1) + b"a" + struct.pack("<IQIQ", 1, 32, 0, 0)
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    hashed = b"torch==2.9.1 --hash=sha256:" + b"a" * 64 + b"\n"
    lock = b'[[package]]\nname = "a"\nversion = "1"\nsdist = { hash = "sha256:' + b"a" * 64 + b'" }\n'
    servers = b'{"mcpServers": {"a": {"command": "npx", "args": ["-y", "x"]}, "b": {"url": "https://h/p?q=1"}}}'
    return {
        "bundle": (bundle, partial(_bundle, whole=bundle)),
        "statement": (read_bundle(bundle).payload, _statement),
        "GGUF header": (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + key + tensor, _raising(_weights)),
        "safetensors header": (struct.pack("<Q", len(header)) + header + b"\0\0\0\0", _raising(_weights)),
        "model card": (README, _raising(lambda body: read_snapshot({"README.md": body}))),
        "config.json": (b'{"architectures": ["A"], "quantization_config": {"bits": 4}}', _raising(_config)),
        "requirements": (hashed, _raising(lambda body: read_dependencies("requirements.txt", body))),
        "lock file": (lock, _raising(lambda body: read_dependencies("uv.lock", body))),
        "Python code": (CODE, _raising(lambda body: read_code("a.py", body))),
        "MCP settings": (servers, _raising(lambda body: read_mcp_settings("mcp.json", body))),
    }


def _weights(body: bytes) -> object:
    return read_weights(BytesIO(body), len(body)).parameters


def _config(body: bytes) -> object:
    return read_snapshot({"config.json": body}).architecture


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=100_000)
    runs = options.parse_args().runs
    for name, (seed, read) in seeds().items():
        feed(name, seed, read, runs)


if __name__ == "__main__":
    main()
