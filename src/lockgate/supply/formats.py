"""Reads everything in a file that could be a model, each format with its own reader. Runs in the worker process."""

from pathlib import PurePosixPath

from lockgate.detect import gguf, npy
from lockgate.detect.coreml_model import walk_blobs, walk_coreml
from lockgate.detect.event_records import walk_events
from lockgate.detect.msgpack_tree import walk_msgpack
from lockgate.detect.onnx_graph import walk_onnx
from lockgate.detect.part import Mention, PartFacts
from lockgate.detect.pickle_ops import read_pickle
from lockgate.detect.r_data import walk_r_data
from lockgate.detect.safetensors_header import read_safetensors
from lockgate.detect.sentencepiece_model import walk_sentencepiece
from lockgate.detect.source import MAX_PROBLEMS, MalformedError, Source, Window
from lockgate.detect.tensorflow_graph import walk_tensorflow
from lockgate.detect.tensorflow_index import walk_fingerprint, walk_index
from lockgate.detect.text_graph import walk_text_graph
from lockgate.detect.tflite_graph import walk_tflite
from lockgate.detect.ubjson_tree import walk_ubjson
from lockgate.supply.chat_template import read_template
from lockgate.supply.read_archive import read_tar, read_zip
from lockgate.supply.read_container import read_7z, read_compressed
from lockgate.supply.read_small import (
    read_hdf5,
    read_jinja,
    read_json,
    read_keras_metadata,
    read_native,
    read_path_file,
    read_xml,
    read_yaml,
    simple,
)
from lockgate.supply.reading import At, ReaderOf, Reading
from lockgate.supply.sniff import CODE_SUFFIXES, MODEL_SUFFIXES, NO_MAGIC, PICKLE_SUFFIXES, sniff, why_unknown
from lockgate.supply.subject import Format, ModelFacts


def read_model(source: Source, name: str) -> ModelFacts:
    """Read a file.

    Args:
        source: Its bytes.
        name: Its path; the suffix only decides how strictly a file without a known format is treated.

    Returns:
        Facts, whatever the bytes are.
    """
    reading = Reading(_read)
    found = reading.read(source, At(name))
    return ModelFacts(
        found,
        tuple(reading.pickles),
        tuple(reading.ggufs),
        tuple(reading.safetensors),
        tuple(reading.templates),
        tuple(reading.parts),
        tuple(reading.problems[:MAX_PROBLEMS]),
        min(reading.unread, source.size),
    )


def _read(reading: Reading, source: Source, at: At) -> Format:
    """Read a file or a member and give its format."""
    found = sniff(source, at.name)
    acts = found != "pickle" and _acts_as_pickle(reading, source, at, found)
    if found in NO_MAGIC:
        if acts:
            return "pickle"
        if at.depth and PurePosixPath(at.name).suffix.lower() in CODE_SUFFIXES:
            mention = Mention("code", "a program inside an archive")
            reading.add(PartFacts("code", at.member, (mention,)), source.size)
        if found == "text" and source.read(0, 2) == b"#!":
            mention = Mention("code", "a script that names its interpreter", "")
            reading.add(PartFacts("code", at.member, (mention,)), source.size)
            return "code"
        if found == "unknown" or PurePosixPath(at.name).suffix.lower() in MODEL_SUFFIXES:
            reading.refuse(MalformedError("unknown-format", why_unknown(source, found)), at, source.size)
            return "unknown"
        return found
    try:
        return _READERS[found](reading, source, at)
    except MalformedError as error:
        reading.refuse(error, at, source.size)
        return found


def _acts_as_pickle(reading: Reading, source: Source, at: At, found: Format) -> bool:
    """Whether an unpickler would get somewhere with these bytes, whatever else they are.

    Pickles of protocols 0 and 1 have no magic bytes, and a file can be a valid model in one format and a program in
    this one. In every other file an unpickler stops at the first few bytes.
    """
    facts = read_pickle(source, member=at.member)
    acts = any(use.how != "imported" for use in facts.uses) or (facts.complete and bool(facts.uses))
    named = PurePosixPath(at.name).suffix.lower() in PICKLE_SUFFIXES
    plain = found == "unknown" or (found in {"text", "path-file"} and named)
    if acts or (facts.complete and plain):
        reading.pickles.append(facts)
        return True
    return False


def _pickle(reading: Reading, source: Source, at: At) -> Format:
    reading.pickles.append(read_pickle(source, member=at.member))
    return "pickle"


def _npy(reading: Reading, source: Source, at: At) -> Format:
    facts = npy.read_npy(source)
    if not facts.item_size:
        _pickle(reading, Window(source, facts.start, source.size - facts.start), at)
    return "npy"


def _gguf(reading: Reading, source: Source, at: At) -> Format:
    facts = gguf.read_gguf(source, member=at.member)
    reading.ggufs.append(facts)
    reading.templates += [read_template(template, member=at.member) for template in facts.templates]
    return "gguf"


def _safetensors(reading: Reading, source: Source, at: At) -> Format:
    reading.safetensors.append(read_safetensors(source, member=at.member))
    return "safetensors"


_READERS: dict[Format, ReaderOf] = {
    "json": read_json,
    "yaml": read_yaml,
    "xml": read_xml,
    "jinja": read_jinja,
    "path-file": read_path_file,
    "native": read_native,
    "hdf5": read_hdf5,
    "keras-metadata": read_keras_metadata,
    "tflite": simple("tflite", walk_tflite),
    "onnx": simple("onnx", walk_onnx),
    "tensorflow": simple("tensorflow", walk_tensorflow),
    "sentencepiece": simple("sentencepiece", walk_sentencepiece),
    "coreml": simple("coreml", walk_coreml),
    "blobs": simple("blobs", walk_blobs),
    "r-data": simple("r-data", walk_r_data),
    "msgpack": simple("msgpack", walk_msgpack),
    "ubjson": simple("ubjson", walk_ubjson),
    "events": simple("events", walk_events),
    "tensorflow-index": simple("tensorflow-index", walk_index),
    "tensorflow-fingerprint": simple("tensorflow-fingerprint", walk_fingerprint),
    "text-graph": simple("text-graph", walk_text_graph),
    "pickle": _pickle,
    "npy": _npy,
    "gguf": _gguf,
    "safetensors": _safetensors,
    "zip": read_zip,
    "tar": read_tar,
    "compressed": read_compressed,
    "7z": read_7z,
}
