"""Finds out which libraries an application's Python code imports, by its syntax tree. The code is never run."""

import ast
import contextlib
import hashlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core import CoreError
from lockgate.core.files import Content, read
from lockgate.supply.deps.dependency import Dependency, Use
from lockgate.supply.remembered import Remembered

MAX_BYTES = 2 << 20
MAX_FILES = 20_000
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages"})
# Libraries whose modules are named otherwise than they are.
_MODULES = {
    "beautifulsoup4": "bs4",
    "faiss-cpu": "faiss",
    "faiss-gpu": "faiss",
    "google-genai": "google",
    "google-generativeai": "google",
    "grpcio": "grpc",
    "llama-cpp-python": "llama_cpp",
    "llama-index-core": "llama_index",
    "mem0ai": "mem0",
    "msgpack-python": "msgpack",
    "opencv-contrib-python": "cv2",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "protobuf": "google",
    "pyjwt": "jwt",
    "pymupdf": "fitz",
    "python-dateutil": "dateutil",
    "python-docx": "docx",
    "python-dotenv": "dotenv",
    "python-multipart": "multipart",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "tavily-python": "tavily",
    "weaviate-client": "weaviate",
}


class Imports(msgspec.Struct, frozen=True):
    """What code imports.

    Attributes:
        modules: Top-level names.
        complete: False where a file could not be read, so that a name that is missing may be imported all the same.
    """

    modules: frozenset[str]
    complete: bool


def find_imports(folder: Path) -> Imports:
    """Read every Python file below a folder, without folders of installed libraries and hidden ones."""
    return imports_in(folder, _python_files(folder))


def imports_in(
    folder: Path,
    uris: Iterable[str],
    cache: Remembered | None = None,
    *,
    expected: Mapping[str, str] | None = None,
) -> Imports:
    """Read the Python files with these paths below a folder.

    Args:
        folder: The folder.
        uris: Their paths.
        cache: What earlier scans found.
        expected: The digest that each must have; one with another counts as unread.
    """
    modules: set[str] = set()
    complete = True
    for count, uri in enumerate(uris):
        if count >= MAX_FILES:
            return Imports(frozenset(modules), complete=False)
        try:
            content = read(folder, uri, limit=MAX_BYTES)
            complete = complete and (expected is None or expected[uri] == content.ref.sha256)
            modules |= _imported(content, cache)
        except (CoreError, ValueError):
            complete = False
    return Imports(frozenset(modules), complete)


def _imported(content: Content, cache: Remembered | None) -> set[str]:
    if cache is None:
        return imported_by(content.body)
    key = hashlib.sha256(f"imports\0{content.ref.sha256}".encode()).digest()
    with contextlib.suppress(msgspec.DecodeError, msgspec.ValidationError):
        if (kept := cache.find(key)) is not None:
            return msgspec.msgpack.decode(kept, type=set[str])
    found = imported_by(content.body)
    cache.keep(key, msgspec.msgpack.encode(found))
    return found


def _python_files(folder: Path) -> Iterator[str]:
    for here, subfolders, names in os.walk(folder):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            if name.endswith(".py"):
                yield (Path(here) / name).relative_to(folder).as_posix()


def strangers(modules: Iterable[str], uris: Iterable[str]) -> tuple[str, ...]:
    """Modules that are neither Python's own nor lie in the project, whose Python files have these paths."""
    own = {part.removesuffix(".py") for uri in uris for part in PurePosixPath(uri).parts}
    return tuple(sorted(name for name in modules if name not in own and name not in sys.stdlib_module_names))


def imported_by(body: bytes) -> set[str]:
    """Top-level names that a Python file imports, also inside functions and by `import_module` with a literal.

    Raises:
        ValueError: It cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(body)
        return {name.partition(".")[0] for node in ast.walk(tree) for name in _named(node)}
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError("no Python that can be parsed") from error


def _named(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        name = node.args[0].value
        return [name] if called in {"import_module", "__import__"} and isinstance(name, str) else []
    return []


def uses(dependencies: Iterable[Dependency], imports: Imports | None) -> dict[str, Use]:
    """How the application uses each PyPI dependency, by normal name.

    A dependency is reached through another one where the lock file says which needs which.
    """
    listed = [item for item in dependencies if item.ecosystem == "PyPI"]
    if imports is None:
        return {}
    found: dict[str, Use] = {item.name: "imported" for item in listed if _is_imported(item.name, imports.modules)}
    needs: dict[str, set[str]] = {}
    for item in listed:
        needs.setdefault(item.name, set()).update(item.requires)
    waiting = sorted(found)
    while waiting:
        for name in needs.get(waiting.pop(), ()):
            if name not in found:
                found[name] = "through another"
                waiting.append(name)
    rest: Use = "not seen" if imports.complete else "unknown"
    return {item.name: found.get(item.name, rest) for item in listed}


def _is_imported(name: str, modules: frozenset[str]) -> bool:
    plain = name.replace("-", "_")
    candidates = {_MODULES.get(name, plain), plain, plain.removeprefix("python_"), plain.removesuffix("_python")}
    lowered = {module.lower() for module in modules}
    return any(candidate.lower() in lowered for candidate in candidates)
