"""A first `lockgate.yaml` for a folder, from what lies in it."""

import importlib.util
import json
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from lockgate.core.files import Snapshot, selects, snapshot
from lockgate.core.project import IGNORED
from lockgate.core.subject import SubjectRef

_ROWS = ("**/*.jsonl",)
_DOCUMENTS = tuple(
    f"{folder}/**/*.{ending}"
    for folder in ("knowledge", "knowledge_base", "docs", "kb", "documents", "rag", "corpus")
    for ending in ("md", "txt")
)
_MODELS = ("**/*.gguf", "**/*.safetensors", "**/*.onnx", "**/*.pt", "**/*.pth", "**/*.pkl", "**/*.joblib")
_SYSTEM_PROMPTS = ("**/system*.md", "**/system*.txt")
_PROTECTED = ("**/protected*.txt",)
_TOOLS = ("**/tools.json",)
_TRAINING = ("training/train.py", "train.py", "scripts/train.py")
_NO_PART = frozenset(
    {".env", ".venv", "venv", "node_modules", ".tox", ".pytest_cache", ".ruff_cache", ".idea", ".vscode"}
)
_LEFT_OUT = IGNORED | _NO_PART | {".github", "build", "dist"}


def scaffold(root: Path) -> str:
    """Render a commented settings file for the project in `root`.

    Raises:
        CoreError: The folder holds too many files to look through.
    """
    taken = snapshot(root.resolve(), ignore=_LEFT_OUT)
    models = _matching(taken, _MODELS)
    embedded = next((ref for ref in models if ref.uri.endswith(".gguf")), None)
    environment = Environment(
        loader=PackageLoader("lockgate.pipeline"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the result is YAML, and every value is quoted as JSON
    )
    environment.filters["quoted"] = json.dumps
    return environment.get_template("lockgate.yaml.j2").render(
        project=root.resolve().name or "project",
        rows=[ref.uri for ref in _matching(taken, _ROWS)],
        documents=sorted({_pattern(ref.uri) for ref in _matching(taken, _DOCUMENTS)}),
        models=models,
        embedded=embedded.uri if embedded else "",
        system_prompt=_first(taken, _SYSTEM_PROMPTS),
        protected=_first(taken, _PROTECTED),
        tools=_first(taken, _TOOLS),
        training=_first(taken, _TRAINING),
        bandit=importlib.util.find_spec("bandit") is not None,
        ignored=sorted(name for name in _NO_PART if (root / name).exists()),
    )


def _matching(taken: Snapshot, patterns: tuple[str, ...]) -> list[SubjectRef]:
    return [ref for ref in taken.files if any(selects(pattern, ref.uri) for pattern in patterns)]


def _first(taken: Snapshot, patterns: tuple[str, ...]) -> str:
    found = _matching(taken, patterns)
    return found[0].uri if found else ""


def _pattern(uri: str) -> str:
    folder, _, name = uri.partition("/")
    return f"{folder}/**/*.{name.rpartition('.')[2]}"
