"""Writes the operators that a model graph may use, from the registries of the runtimes that are installed beside it.

Run it in an environment of its own with onnx, onnxruntime and tensorflow-cpu (or with those that are to be refreshed):
`python tools/list_operators.py src/lockgate/supply/allowed_operators.json`. What is not installed keeps its old list.
Operators that open files, talk to the network, run code of the host language or load libraries are left out here.
The digest that it prints belongs into `src/lockgate/supply/allowed.py`, without which Lockgate does not read the list.
"""

import hashlib
import importlib
import json
import re
import sys
from pathlib import Path

REACHES_OUT = re.compile(
    r"PyFunc|EagerPy|PythonOp|ATen|File|Reader|Record|LMDB|BigQuery|Rpc|Grpc|Debug|SummaryWriter|WriteSummary|WriteScalar|"
    r"WriteHistogram|WriteImage|WriteAudio|WriteGraph|WriteRawProto|ImportEvent|CloseSummary|FlushSummary|Library|TPU|Tpu|"
    r"EPContext|^(?:Save|SaveSlices|Restore|RestoreSlice)$|"
    r"Dataset|Iterator|Remote|Collective|Nccl|NCCL|Send|Recv|Checkpoint|Decode(?:Proto|CSV)|EncodeProto|Compose|Print|"
    r"Xla|XLA|Compile|Dawn|Distributed|Service|Session|Infeed|Outfeed|Snapshot|Abort|Stage|Barrier|HostCompute|FakeQueue|"
    r"Mutex|PrivateThread|Scoped|Lookup.*Import|InitializeTableFromText|GcsConfig|IO|Host|TensorRT|TRT|External"
)
NEEDED = {
    "SaveV2",
    "RestoreV2",
    "ShardedFilename",
    "MergeV2Checkpoints",
    "InitializeTableFromTextFileV2",
    "LookupTableImport",
    "LookupTableImportV2",
}


def onnx_operators() -> set[str]:
    defs = importlib.import_module("onnx.defs")
    return {f"{schema.domain or 'ai.onnx'}:{schema.name}" for schema in defs.get_all_schemas_with_history()}


def onnxruntime_operators() -> set[str]:
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    listed = {f"{schema.domain or 'ai.onnx'}:{schema.name}" for schema in state.get_all_operator_schema()}
    return {name for name in listed if name.startswith(("ai.onnx", "com.microsoft:", "com.microsoft.nchwc:"))}


def tensorflow_operators() -> set[str]:
    session = importlib.import_module("tensorflow.python.client.pywrap_tf_session")
    listed = importlib.import_module("tensorflow.core.framework.op_def_pb2").OpList()
    listed.ParseFromString(session.TF_GetBuffer(session.TF_GetAllOpList()))
    return {f"tensorflow:{operator.name}" for operator in listed.op}


def main(path: Path) -> None:
    kept = set(json.loads(path.read_text())) if path.exists() else set()
    for source in (onnx_operators, onnxruntime_operators, tensorflow_operators):
        try:
            kept |= source()
        except ImportError as error:
            print(f"{source.__name__}: kept as it was ({error})")
    allowed = {name for name in kept if name.split(":")[1] in NEEDED or not REACHES_OUT.search(name.split(":")[1])}
    path.write_text(json.dumps(sorted(allowed), indent=0) + "\n")
    print(f"{len(allowed)} operators, {len(kept - allowed)} left out")
    print(f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
