"""Files of raw tensor bytes have no format of their own: a model beside them names them, and accounts for them."""

from pathlib import Path, PurePosixPath

from lockgate.supply.subject import ModelFacts

_UNKNOWN = "unknown-format"


def claimed_by(path: str, facts: ModelFacts) -> tuple[str, ...]:
    """Paths (or their beginnings, up to a `*` at the end) of raw bytes that a model accounts for.

    Args:
        path: Where the model lies.
        facts: What it says. External data of ONNX lies where the model says, weights of OpenVINO under the same name
            with `.bin`, and variables of TensorFlow beside their index.
    """
    file = PurePosixPath(path)
    if facts.format == "onnx":
        names = (mention.name for part in facts.parts for mention in part.mentions if mention.kind == "path")
        return tuple(str(file.parent / name) for name in names if ".." not in PurePosixPath(name).parts)
    if facts.format == "openvino":
        return (str(file.with_suffix(".bin")),)
    if facts.format == "tensorflow-index":
        return (f"{file.with_suffix('')}.data-*",)
    return ()


def is_claimed(path: str, claims: frozenset[str]) -> bool:
    """Whether a model accounts for this file."""
    stem, found, _ = path.rpartition(".data-")
    return path in claims or (bool(found) and f"{stem}.data-*" in claims)


def companions(path: Path) -> tuple[Path, ...]:
    """Models that could account for a file that was named alone."""
    stem, found, _ = path.name.rpartition(".data-")
    names = [f"{stem}.index"] if found else [f"{path.stem}.xml", f"{path.stem}.onnx", path.name.removesuffix("_data")]
    return tuple(other for name in names if name != path.name and (other := path.with_name(name)).is_file())


def is_raw(facts: ModelFacts) -> bool:
    """Whether a file is nothing but bytes that no reader knows, so that a claim can account for it."""
    problems = {problem.code for problem in facts.problems}
    return facts.format == "unknown" and problems == {_UNKNOWN} and not facts.parts and not facts.pickles
