"""What the supply checks look at: facts about a model file, read once and never loaded."""

from typing import Literal

import msgspec

from lockgate.core.subject import SubjectRef
from lockgate.detect.gguf import GgufFacts
from lockgate.detect.part import PartFacts
from lockgate.detect.pickle_ops import PickleFacts
from lockgate.detect.safetensors_header import SafetensorsFacts
from lockgate.detect.source import FormatProblem
from lockgate.supply.chat_template import TemplateFacts

Format = Literal[
    "pickle",
    "pytorch-zip",
    "zip",
    "tar",
    "compressed",
    "7z",
    "torchscript",
    "npy",
    "gguf",
    "safetensors",
    "onnx",
    "tensorflow",
    "tensorflow-index",
    "tensorflow-fingerprint",
    "text-graph",
    "tflite",
    "hdf5",
    "keras",
    "keras-metadata",
    "skops",
    "sentencepiece",
    "msgpack",
    "ubjson",
    "events",
    "r-data",
    "coreml",
    "blobs",
    "openvino",
    "pmml",
    "config",
    "json",
    "yaml",
    "xml",
    "jinja",
    "path-file",
    "native",
    "template",
    "weights",
    "code",
    "unknown",
    "text",
    "media",
]
Place = Literal["project", "product", "scan"]
UNEXAMINED = frozenset(
    {"unknown-format", "unsupported", "encrypted", "compression", "torchscript", "depth", "budget", "unreadable"}
)
"""Codes of problems that say "could not look", which is ERRORED; every other problem is a broken format: FAILED."""


class ModelFacts(msgspec.Struct, frozen=True):
    """What the bytes of a file say, as the worker process found it.

    Attributes:
        format: What the content is; `text` and `media` files are no models.
        pickles: Every pickle stream in it, also inside archives and object arrays.
        ggufs: Every GGUF header in it.
        safetensors: Every safetensors header in it.
        templates: Every chat template in it, taken apart.
        parts: Every other part of it that a small reader took apart.
        problems: Why the file as a whole, or a member of it, could not be examined with certainty.
        unread: Bytes that no reader accounts for.
    """

    format: Format
    pickles: tuple[PickleFacts, ...] = ()
    ggufs: tuple[GgufFacts, ...] = ()
    safetensors: tuple[SafetensorsFacts, ...] = ()
    templates: tuple[TemplateFacts, ...] = ()
    parts: tuple[PartFacts, ...] = ()
    problems: tuple[FormatProblem, ...] = ()
    unread: int = 0


class ModelFile(msgspec.Struct, frozen=True):
    """A model file of a project.

    Attributes:
        ref: Its path and the digest of the bytes that were read.
        size: How many bytes it has.
        place: Whether it lies in the project, was made by the training job, or was named to `lockgate scan model`.
        pinned: The digest that `lockgate.yaml` pins for it; None if it is not pinned.
        facts: What its bytes say.
        stored: Where its bytes lie, if that is elsewhere: the end of a link.
    """

    ref: SubjectRef
    size: int
    place: Place
    pinned: str | None
    facts: ModelFacts
    stored: str = ""
