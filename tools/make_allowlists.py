"""Writes the pickle allow-lists under `src/lockgate/detect/allow/` from the wheels of the frameworks.

Run `python tools/make_allowlists.py WHEELS`, where the folder WHEELS holds wheels of any versions; those of one
framework are merged. Wheels are only unzipped and parsed, never installed or imported. A class is listed if all of its
bases can be found and no method that runs while a pickle is loaded is unknown: each such method is named in
`tools/reviewed_hooks.json` with the digest of its code, so a new version of it asks for a new review; `--accept` notes
the digests after that review.

A list stays as it is where a wheel of a version that it states is missing (`tools/fetch_wheels.py` fetches them),
unless `--fewer` says that it may lose names. The digest of each list goes into `src/lockgate/detect/pickle_pins.py`,
without which Lockgate reads none of them; the digest of all lists is printed, and evidence of the supply stage states
it.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "src/lockgate/detect/allow"
PINS = ROOT / "src/lockgate/detect/pickle_pins.py"
REVIEWED = Path(__file__).with_name("reviewed_hooks.json")
CURATED = Path(__file__).with_name("allow_curated.json")
HOOKS = frozenset(["__new__", "__del__", "__setstate__", "__setattr__", "__getattr__", "__getattribute__"])
MAX_REEXPORTS = 8
PLAIN_BASES = frozenset(
    [
        "object",
        "dict",
        "list",
        "tuple",
        "ABC",
        "Generic",
        "Protocol",
        "NamedTuple",
        "Exception",
        "ValueError",
        "Warning",
        "UserWarning",
        "ABCMeta",
        "str",
        "int",
        "Enum",
        "OrderedDict",
        "MutableMapping",
        "Mapping",
        "Sequence",
        "UserDict",
        "Collection",
        "IntEnum",
        "StrEnum",
        "nn.Module",
    ]
)
"""Bases from outside a wheel that run nothing of their own while a pickle is loaded."""


class Found(NamedTuple):
    """A class as its wheel defines it."""

    module: str
    bases: tuple[str, ...]
    hooks: dict[str, str]
    aliases: tuple[str, ...]


class Wheel:
    """The Python files of one wheel, parsed."""

    def __init__(self, path: Path, modules: str, skipped: str) -> None:
        self.path = path
        self.version = path.name.split("-")[1]
        self.classes: dict[str, Found] = {}
        self.functions: set[str] = set()
        self.ufuncs: set[str] = set()
        self.imports: dict[str, dict[str, str]] = defaultdict(dict)
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for name in names:
                if name.endswith((".py", ".pyi")):
                    module = re.sub(r"(/__init__)?\.pyi?$", "", name).replace("/", ".")
                    tree = _parsed(archive.read(name)) if re.match(modules, module) else None
                    if tree is not None and not re.search(skipped, module):
                        self._module(module, tree, stub=name.endswith(".pyi"), names=names)

    def _module(self, module: str, tree: ast.Module, *, stub: bool, names: list[str]) -> None:
        package = module if f"{module.replace('.', '/')}/__init__.py" in names else module.rpartition(".")[0]
        for node in _statements(tree.body):
            if isinstance(node, ast.ImportFrom):
                base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
                source = ".".join(part for part in (base, node.module) if part)
                self.imports[module].update({(n.asname or n.name): f"{source}.{n.name}" for n in node.names})
            elif isinstance(node, ast.Import):
                self.imports[module].update({n.asname: n.name for n in node.names if n.asname})
            elif isinstance(node, ast.ClassDef) and not stub:
                self.classes[f"{module}.{node.name}"] = _found(module, node)
            elif isinstance(node, ast.FunctionDef) and not stub:
                self.functions.add(f"{module}.{node.name}")
            elif isinstance(node, ast.AnnAssign) and stub and "ufunc" in ast.unparse(node.annotation).lower():
                self.functions.add(f"{module}.{ast.unparse(node.target)}")
                self.ufuncs.add(ast.unparse(node.target))

    def operators(self, member: str) -> set[str]:
        """Names of PyTorch's operators, from the file that its own build generates them from."""
        with zipfile.ZipFile(self.path) as archive:
            return set(re.findall(r"^- func: (\w+)", archive.read(member).decode(), re.MULTILINE))

    def resolve(self, module: str, name: str, depth: int = 0) -> str:
        """The full name that `name` has in `module`, followed through re-exports."""
        full = f"{module}.{name}"
        if full in self.classes or depth > MAX_REEXPORTS:
            return full
        head, _, rest = name.partition(".")
        through = f"{self.imports[module].get(head)}.{rest}"
        if through in self.classes:
            return through
        target = self.imports[module].get(name)
        if target is None:
            return full if "." not in name else self.resolve(module, name.rpartition(".")[2], depth + 1)
        return self.resolve(*_split(target), depth + 1)

    def chain(self, full: str, seen: frozenset[str] = frozenset()) -> tuple[dict[str, str], set[str]]:
        """Every hook of a class and its bases by name, and the bases that the wheel does not define."""
        found = self.classes[full]
        hooks = {f"{full}.{name}": digest for name, digest in found.hooks.items()}
        unknown: set[str] = set()
        for base in found.bases:
            target = self.resolve(found.module, base)
            if target in self.classes and target not in seen:
                more, less = self.chain(target, seen | {full})
                hooks.update(more)
                unknown |= less
            elif target not in seen and base.partition("[")[0].rpartition(".")[2] not in PLAIN_BASES:
                unknown.add(target)
        return hooks, unknown


def _parsed(body: bytes) -> ast.Module | None:
    """A file's syntax; None where it needs a newer Python than this one, so that it lists nothing."""
    try:
        return ast.parse(body)
    except SyntaxError:
        return None


def _split(full: str) -> tuple[str, str]:
    module, _, name = full.rpartition(".")
    return module, name


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.If):
            found += _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            found += _statements([*node.body, *(item for handler in node.handlers for item in handler.body)])
        else:
            found.append(node)
    return found


def _found(module: str, node: ast.ClassDef) -> Found:
    hooks = {
        item.name: hashlib.sha256(ast.unparse(item).encode()).hexdigest()[:16]
        for item in node.body
        if isinstance(item, ast.FunctionDef) and item.name in HOOKS
    }
    aliases = [
        f"{call.args[0].value}.{node.name}"
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "set_module"
        and isinstance(call.args[0], ast.Constant)
    ]
    return Found(module, tuple(ast.unparse(base) for base in node.bases), hooks, tuple(aliases))


def _build(
    rules: dict[str, object], wheels: list[Wheel], reviewed: dict[str, list[str]]
) -> tuple[dict[str, object], dict[str, str]]:
    """The allow-list of one framework, and the hooks that nobody has reviewed."""
    classes: set[str] = set(rules.get("classes", []))  # type: ignore[call-overload] - JSON of our own
    references: set[str] = set(rules.get("references", []))  # type: ignore[call-overload] - same
    open_hooks: dict[str, str] = {}
    wanted = re.compile(str(rules["class_modules"]))
    functions = re.compile(str(rules.get("reference_names", "(?!)")))
    outside = set(rules.get("bases", [])) | listed_classes(rules.get("builds_on", []))  # type: ignore[call-overload] - same
    if "operators" in rules:
        refused = set(rules["refused_operators"])  # type: ignore[call-overload] - same
        found = {name for wheel in wheels for name in wheel.operators(str(rules["operators"]))}
        references |= {f"torch.{name}" for name in found - refused}
    for wheel in wheels:
        references |= {name for name in wheel.functions if functions.fullmatch(name)}
        references |= {f"{module}.{name}" for module in rules.get("ufunc_modules", []) for name in wheel.ufuncs}  # type: ignore[attr-defined] - same
        for full, found in wheel.classes.items():
            if not wanted.fullmatch(full):
                continue
            hooks, unknown = wheel.chain(full)
            new = {name: digest for name, digest in hooks.items() if digest not in reviewed.get(name, [])}
            open_hooks.update(new)
            if not new and not unknown - outside:
                classes |= {full, *found.aliases}
            elif unknown - outside:
                print(f"left out {full}: bases {sorted(unknown - outside)}", file=sys.stderr)
    callables = rules.get("callables", {})
    listed = {
        "framework": rules["framework"],
        "versions": sorted({wheel.version for wheel in wheels}),
        "classes": _grouped(classes),
        "references": _grouped(references - classes),
        "callables": callables,
        "mappings": rules.get("mappings", []),
    }
    return listed, open_hooks


def listed_classes(frameworks: list[str]) -> set[str]:
    """The classes that the lists of other frameworks hold: whoever derives from them brings no hooks unseen."""
    lists = [json.loads((OUT / f"{name}.json").read_text("utf-8"))["classes"] for name in frameworks]
    return {f"{module}.{name}" for classes in lists for module, names in classes.items() for name in names}


def _grouped(names: set[str]) -> dict[str, list[str]]:
    """Names by module, which keeps the files short and their changes readable."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        found[_split(name)[0]].append(_split(name)[1])
    return dict(found)


def _missing(target: Path, wheels: list[Path]) -> list[str]:
    """Versions that a list states and of which there is no wheel."""
    stated = json.loads(target.read_text("utf-8"))["versions"] if target.exists() else []
    present = {path.name.split("-")[1] for path in wheels}
    return [version for version in stated if version not in present]


def digest_of_lists(folder: Path) -> str:
    """The digest that `lockgate.detect.pickle_names` computes from the same files."""
    return hashlib.sha256(b"\x00".join(path.read_bytes() for path in sorted(folder.glob("*.json")))).hexdigest()


def pins_of_lists(folder: Path) -> str:
    """The Python file that states the digest of each list."""
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.json"))}
    stated = "".join(f'    "{name}": "{digest}",\n' for name, digest in digests.items())
    return f"""\"\"\"SHA-256 of each pickle allow-list, written by `tools/make_allowlists.py`.\"\"\"

PINNED: dict[str, str] = {{
{stated}}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the pickle allow-lists from wheels.")
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--accept", action="store_true", help="note every open hook as reviewed")
    parser.add_argument("--fewer", action="store_true", help="also write lists of which older versions are missing")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the lists")
    parser.add_argument("--pins", type=Path, help="file of their digests")
    chosen = parser.parse_args()
    out: Path = chosen.out
    reviewed: dict[str, list[str]] = json.loads(REVIEWED.read_text()) if REVIEWED.exists() else {}
    out.mkdir(exist_ok=True)
    for rules in json.loads(CURATED.read_text()):
        paths = sorted(path for name in rules["wheels"] for path in chosen.wheels.glob(f"{name}-*.whl"))
        target = out / f"{rules['framework']}.json"
        if missing := _missing(target, paths):
            print(f"{target.name}: no wheel of {', '.join(missing)}; {'names may go' if chosen.fewer else 'kept'}")
            if not chosen.fewer or not paths:
                continue
        wheels = [Wheel(path, rules["modules"], rules.get("skipped", "(?!)")) for path in paths]
        listed, open_hooks = _build(rules, wheels, reviewed)
        if chosen.accept and open_hooks:
            for name, digest in open_hooks.items():
                reviewed[name] = sorted({*reviewed.get(name, []), digest})
            listed, open_hooks = _build(rules, wheels, reviewed)
        for name in sorted(open_hooks):
            print(f"review {name} ({open_hooks[name]})", file=sys.stderr)
        target.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")
        counts = [sum(map(len, listed[key].values())) for key in ("classes", "references")]  # type: ignore[union-attr] - same
        print(f"{target.name}: {counts[0]} classes, {counts[1]} references")
    if pins := chosen.pins or (PINS if out == OUT else None):
        pins.write_text(pins_of_lists(out), "utf-8")
    print(f"digest of all lists: {digest_of_lists(out)}")
    if chosen.accept:
        REVIEWED.write_text(json.dumps(reviewed, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
