"""What the supply checks look at: facts about a model file, read once and never loaded."""

from typing import Literal

import msgspec

from lockgate.core.subject import SubjectRef
from lockgate.detect.gguf import GgufFacts
from lockgate.detect.pickle_ops import PickleFacts
from lockgate.detect.safetensors_header import SafetensorsFacts
from lockgate.detect.source import FormatProblem
from lockgate.supply.chat_template import TemplateFacts

Format = Literal["pickle", "pytorch-zip", "zip", "tar", "npy", "gguf", "safetensors", "unknown", "text", "media"]
Place = Literal["project", "product"]


class ModelFacts(msgspec.Struct, frozen=True):
    """What the bytes of a file say, as the worker process found it.

    Attributes:
        format: What the content is; `text` and `media` files are no models.
        pickles: Every pickle stream in it, also inside archives and object arrays.
        ggufs: Every GGUF header in it.
        safetensors: Every safetensors header in it.
        templates: Every chat template in it, taken apart.
        problems: Why the file as a whole, or a member of it, could not be examined with certainty.
    """

    format: Format
    pickles: tuple[PickleFacts, ...] = ()
    ggufs: tuple[GgufFacts, ...] = ()
    safetensors: tuple[SafetensorsFacts, ...] = ()
    templates: tuple[TemplateFacts, ...] = ()
    problems: tuple[FormatProblem, ...] = ()


class ModelFile(msgspec.Struct, frozen=True):
    """A model file of a project.

    Attributes:
        ref: Its path and the digest of the bytes that were read.
        size: How many bytes it has.
        place: Whether it lies in the project or was made by the training job.
        pinned: The digest that `lockgate.yaml` pins for it; None if it is not pinned.
        facts: What its bytes say.
    """

    ref: SubjectRef
    size: int
    place: Place
    pinned: str | None
    facts: ModelFacts
