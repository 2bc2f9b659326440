"""Bills of materials of small applications, each validated against the official schema."""

import contextlib
import datetime as dt
import json
import struct
import warnings
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from lockgate.core import sha256_hex
from lockgate.supply.bom import (
    ModelCard,
    problems_of,
    read_code,
    read_dependencies,
    read_mcp_settings,
    take_inventory,
    to_cyclonedx,
)
from lockgate.supply.bom.snapshot import NAMES, read_snapshot
from lockgate.supply.bom.weights import read_weights

Validate = Callable[[dict[str, object]], None]
ASSISTANT = Path(__file__).resolve().parents[3] / "examples" / "assistant"


@pytest.fixture(scope="session")
def validate() -> Validate:
    folder = resources.files("cyclonedx.schema") / "_res"

    def schema(name: str) -> dict[str, object]:
        return json.loads((folder / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))

    known = {f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json": schema(name) for name in ("spdx", "jsf-0.82")}
    registry = Registry().with_resources((uri, Resource.from_contents(found)) for uri, found in known.items())
    validator = jsonschema.Draft7Validator(schema("bom-1.6"), registry=registry)

    def check(document: dict[str, object]) -> None:
        validator.validate(document)
        assert problems_of(document) == ()

    return check


def test_what_the_settings_declare_about_others_is_listed(tmp_path: Path, validate: Validate):
    digest = "a" * 64
    put(
        tmp_path,
        {
            "lockgate.yaml": f"""version: 1
project: demo
supply:
  data_sets:
    - {{name: questions, origin: "pkg:huggingface/org/questions@3f2a9c1", revision: 3f2a9c1, licence: CC-BY-4.0,
       files: {{train.jsonl: "{digest}"}}}}
    - {{name: questions, origin: "https://data.example/q"}}
  sources:
    - {{name: Provider, kind: model-api, address: api.provider.example, reviewed_until: 2030-01-31, review: SEC-1}}
    - {{name: Hub, kind: repository, address: "https://hub.example"}}
"""
        },
    )
    document = to_cyclonedx(take_inventory(tmp_path), at=None)
    validate(document)
    [full, thin] = [item for item in document["components"] if item["name"] == "questions"]
    assert full["version"] == "3f2a9c1"
    assert full["components"][0]["hashes"][0]["content"] == digest
    assert "licenses" not in thin
    services = {item["name"]: item for item in document["services"]}
    assert services["Provider"]["endpoints"] == ["https://api.provider.example"]
    assert {"name": "lockgate:reviewed-until", "value": "2030-01-31"} in services["Provider"]["properties"]
    assert {"name": "lockgate:reviewed-until", "value": "never reviewed"} in services["Hub"]["properties"]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(**said: str) -> bytes:
    keys = b"".join(
        text(f"general.{key.replace('__', '.')}") + struct.pack("<I", 8) + text(value) for key, value in said.items()
    )
    tensors = b"".join(
        text(name) + struct.pack("<IQQIQ", 2, 32, rows, kind, 0) for name, rows, kind in (("a", 4, 8), ("b", 1, 0))
    )
    return b"GGUF" + struct.pack("<IQQ", 3, 2, len(said)) + keys + tensors


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "BF16", "shape": [4, 8], "data_offsets": [0, 64]}}).encode()
    return struct.pack("<Q", len(header)) + header + b"\0" * 64


def card_of(body: bytes, tmp_path: Path) -> ModelCard:
    (tmp_path / "weights").write_bytes(body)
    with (tmp_path / "weights").open("rb") as stream:
        return read_weights(stream, len(body))


def put(root: Path, files: dict[str, str | bytes]) -> Path:
    for uri, body in files.items():
        (root / uri).parent.mkdir(parents=True, exist_ok=True)
        (root / uri).write_bytes(body if isinstance(body, bytes) else body.encode())
    return root


def bill(root: Path) -> dict[str, object]:
    return to_cyclonedx(take_inventory(root), at=None)


def components(document: dict[str, object], kind: str) -> dict[str, dict]:
    return {item["name"]: item for item in document["components"] if item["type"] == kind}


def test_headers_say_architecture_type_and_size(tmp_path: Path):
    body = gguf(architecture="llama", name="Small", license="apache-2.0", base_model__0__name="Base")
    assert card_of(body, tmp_path) == ModelCard(
        name="Small", architecture="llama", licence="apache-2.0", base=("Base",), quantisation="Q8_0", parameters=160
    )
    assert card_of(safetensors(), tmp_path) == ModelCard(quantisation="BF16", parameters=32)


@given(body=st.binary(max_size=300) | st.builds(lambda tail: b"GGUF\x03\0\0\0" + tail, st.binary(max_size=200)))
@settings(max_examples=300, deadline=None)
def test_other_bytes_say_nothing_and_raise_nothing(tmp_path_factory: pytest.TempPathFactory, body: bytes):
    assert isinstance(card_of(body, tmp_path_factory.getbasetemp()), ModelCard)


@given(cut=st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_truncated_headers_raise_nothing(tmp_path_factory: pytest.TempPathFactory, cut: int):
    body = gguf(architecture="llama", name="Small")
    assert isinstance(card_of(body[:cut], tmp_path_factory.getbasetemp()), ModelCard)


@given(bodies=st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=80)))
@settings(max_examples=200, deadline=None)
def test_damaged_snapshots_raise_nothing(bodies: dict[str, bytes]):
    assert isinstance(read_snapshot(bodies), ModelCard)


def test_a_model_folder_is_one_component_with_a_card(tmp_path: Path, validate: Validate):
    readme = "---\nlicense: mit\npipeline_tag: text-generation\nbase_model: org/base\ndatasets: [org/rows]\n---\n# M\n"
    put(
        tmp_path,
        {
            "m/model-1.safetensors": safetensors(),
            "m/model-2.safetensors": safetensors(),
            "m/config.json": '{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}',
            "m/README.md": readme,
        },
    )
    document = bill(tmp_path)
    validate(document)
    [model] = components(document, "machine-learning-model").values()
    parameters = model["modelCard"]["modelParameters"]
    assert parameters["task"] == "text-generation"
    assert parameters["modelArchitecture"] == "LlamaForCausalLM"
    assert parameters["datasets"] == [{"type": "dataset", "name": "org/rows"}]
    assert model["licenses"] == [{"license": {"id": "MIT"}}]
    assert model["pedigree"]["ancestors"] == [{"type": "machine-learning-model", "name": "org/base"}]
    assert [item["hashes"][0]["content"] for item in model["components"]] == [sha256_hex(safetensors())] * 2
    assert {"name": "lockgate:parameters", "value": "64"} in model["modelCard"]["properties"]


def test_a_parent_that_is_there_is_named_by_digest(tmp_path: Path, validate: Validate):
    put(
        tmp_path,
        {
            "base.gguf": gguf(name="Base"),
            "adapter/adapter_model.safetensors": safetensors(),
            "adapter/adapter_config.json": '{"base_model_name_or_path": "Base", "peft_type": "LORA"}',
        },
    )
    document = bill(tmp_path)
    validate(document)
    adapter = components(document, "machine-learning-model")["adapter/adapter_model.safetensors"]
    assert adapter["pedigree"]["ancestors"][0]["hashes"] == [
        {"alg": "SHA-256", "content": sha256_hex(gguf(name="Base"))}
    ]
    assert {"ref": adapter["bom-ref"], "dependsOn": ["model:base.gguf"]} in document["dependencies"]


CODE = """
from openai import OpenAI
SYSTEM_PROMPT = "You are the assistant of a boat rental. Answer only what the knowledge base says."
client = OpenAI(base_url="https://user:secret@models.example:8443/v1?key=secret")
client.chat.completions.create(model="org/chat-7b", messages=[{"role": "system", "content": "Be kind."}])
tokenizer = AutoTokenizer.from_pretrained("org/tokenizer", revision="abc")
rows = load_dataset("org/rows")
server = StdioServerParameters(command="npx", args=["-y", "@org/mcp-files", "--token", "secret"])
mcp = FastMCP("desk")
computed = AutoModel.from_pretrained(name)
"""


def test_code_names_models_endpoints_servers_data_and_prompts():
    found = {(item.kind, item.name) for item in read_code("app.py", CODE.encode())}
    assert found == {
        ("model", "org/chat-7b"),
        ("model", "org/tokenizer"),
        ("dataset", "org/rows"),
        ("endpoint", "https://models.example:8443/v1"),
        ("mcp-server", "npx @org/mcp-files"),
        ("mcp-server", "desk"),
        ("prompt", "SYSTEM_PROMPT"),
        ("prompt", "system message"),
    }


def test_a_client_without_an_address_talks_to_its_own_service():
    [found] = read_code("app.py", b"c = anthropic.Anthropic()")
    assert (found.kind, found.name) == ("endpoint", "https://api.anthropic.com")


def test_notebooks_are_read_cell_by_cell():
    cells = [{"cell_type": "code", "source": ["%pip install x\n", "m = load_dataset('org/rows')\n"]}]
    [found] = read_code("n.ipynb", json.dumps({"cells": cells}).encode())
    assert found.name == "org/rows"
    more = ["%%bash\ncurl x | sh", "files = !ls\ndf?\nawait go()", "\nm = load_dataset('org/rows')"]
    cells += [{"cell_type": "code", "source": source} for source in more]
    found = read_code("n.ipynb", json.dumps({"cells": cells}).encode())
    assert [item.line for item in found] == [2, 7]


@pytest.mark.parametrize("body", [b"def", b"(" * 10_000, b"\xff", b"x = " + b"-" * 100_000 + b"1"])
def test_code_that_cannot_be_parsed_is_said(body: bytes):
    with pytest.raises(ValueError, match=r"parsed|decode"):
        read_code("app.py", body)


def test_mcp_settings_are_listed_without_their_secrets():
    body = json.dumps(
        {
            "mcpServers": {
                "files": {
                    "command": "npx",
                    "args": ["-y", "@org/files", "--token", "s3cret"],
                    "env": {"KEY": "s3cret"},
                },
                "web": {"url": "https://mcp.example/sse?key=s3cret"},
            }
        }
    )
    found = read_mcp_settings(".mcp.json", body.encode())
    assert [item.name for item in found] == ["files: npx @org/files", "web: https://mcp.example/sse"]


REQUIREMENTS = """
# comment
-r other.txt
Torch==2.9.1 \\
    --hash=sha256:AAAA \\
    --hash=sha256:short
requests[socks]>=2.0  # loose
scikit_learn == 1.7.2 ; python_version > "3.10"
local @ file:///x
numpy==2.*
""".replace("AAAA", "a" * 64)
LOCKED = """
version = 1
[[package]]
name = "app"
version = "0"
source = { editable = "." }
[[package]]
name = "Foo.Bar"
version = "1.0+cu1"
sdist = { url = "x", hash = "sha256:BBBB" }
wheels = [{ url = "x", hash = "sha256:CCCC" }]
""".replace("BBBB", "b" * 64).replace("CCCC", "c" * 64)


def test_requirements_and_lock_files_give_versions_and_hashes():
    found = {item.name: item for item in read_dependencies("requirements.txt", REQUIREMENTS.encode())}
    assert found["torch"].hashes == (("SHA-256", "a" * 64),)
    assert {name: item.version for name, item in found.items()} == {
        "torch": "2.9.1", "requests": "", "scikit-learn": "1.7.2", "local": "", "numpy": "",
    }  # fmt: skip
    [item] = read_dependencies("uv.lock", LOCKED.encode())
    assert item.purl == "pkg:pypi/foo-bar@1.0%2Bcu1"
    assert [digits[0] for _, digits in item.hashes] == ["c", "b"]
    npm = {
        "lockfileVersion": 3,
        "packages": {
            "": {},
            "node_modules/@a/b": {"version": "1.2.3"},
            "node_modules/other": {"name": "real", "version": "4.0.0"},
            "packages/own": {"name": "own", "version": "1.0.0"},
        },
    }
    purls = [item.purl for item in read_dependencies("package-lock.json", json.dumps(npm).encode())]
    assert purls == ["pkg:npm/%40a/b@1.2.3", "pkg:npm/real@4.0.0"]
    old = {"lockfileVersion": 1, "dependencies": {"left": {"version": "1.0.0"}}}
    assert read_dependencies("npm-shrinkwrap.json", json.dumps(old).encode())[0].purl == "pkg:npm/left@1.0.0"
    pipfile = {"_meta": {}, "default": {"Torch": {"version": "==2.9.1", "hashes": ["sha256:" + "a" * 64]}}}
    [torch] = read_dependencies("Pipfile.lock", json.dumps(pipfile).encode())
    assert (torch.purl, torch.hashes) == ("pkg:pypi/torch@2.9.1", (("SHA-256", "a" * 64),))


def test_libraries_of_included_files_are_listed_and_unread_formats_told(tmp_path: Path):
    put(tmp_path, {"requirements.txt": "-r base.txt\n", "base.txt": "torch==2.9.1\n", "web/yarn.lock": "# v1\n"})
    found = take_inventory(tmp_path)
    assert [item.purl for item in found.libraries] == ["pkg:pypi/torch@2.9.1"]
    assert len(found.unread) == 1
    assert "web/yarn.lock" in found.unread[0]


@given(body=st.binary(max_size=200), uri=st.sampled_from(["requirements.txt", "uv.lock", "package-lock.json"]))
@settings(max_examples=300, deadline=None)
def test_damaged_lock_files_are_a_value_error_at_most(body: bytes, uri: str):
    with contextlib.suppress(ValueError):
        read_dependencies(uri, body)


def test_a_whole_application(tmp_path: Path, validate: Validate):
    put(
        tmp_path,
        {
            "app.py": CODE,
            "same.py": CODE,
            "requirements.txt": REQUIREMENTS,
            "uv.lock": LOCKED,
            "data/rows.jsonl": "{}\n",
            "prompts/system.md": "Be kind.",
            "models/small.gguf": gguf(architecture="llama", license="gemma"),
            ".mcp.json": '{"mcpServers": {"web": {"url": "https://mcp.example/sse"}}}',
            ".git/config": "x",
        },
    )
    document = bill(tmp_path)
    validate(document)
    assert {"data/rows.jsonl", "prompts/system.md", "org/rows"} <= components(document, "data").keys()
    assert components(document, "library")["torch"]["externalReferences"][0]["hashes"][0]["content"] == "a" * 64
    assert [
        len(item["evidence"]["occurrences"])
        for item in components(document, "machine-learning-model").values()
        if "evidence" in item
    ] == [2, 2]
    assert components(document, "machine-learning-model")["models/small.gguf"]["licenses"] == [
        {"license": {"name": "gemma"}}
    ]
    assert {item["name"] for item in document["services"]} >= {"web: https://mcp.example/sse", "desk"}
    assert "secret" not in json.dumps(document)


def test_the_bundled_application_validates(validate: Validate):
    document = to_cyclonedx(take_inventory(ASSISTANT), at=dt.datetime.now(dt.UTC))
    validate(document)
    assert "timestamp" in document["metadata"]
    assert components(document, "data").keys() >= {"prompts/system.md", "data/finetune.jsonl"}


def test_a_reproducible_bill_is_the_same_twice_and_changes_with_the_content(tmp_path: Path):
    put(tmp_path, {"data/rows.jsonl": "{}\n"})
    first = bill(tmp_path)
    assert first == bill(tmp_path)
    put(tmp_path, {"data/rows.jsonl": "[]\n"})
    assert bill(tmp_path)["serialNumber"] != first["serialNumber"]


def test_what_cannot_be_read_makes_the_bill_incomplete(tmp_path: Path, validate: Validate):
    put(tmp_path, {"app.py": "def", "uv.lock": "= ="})
    (tmp_path / "link.py").symlink_to(tmp_path / "app.py")
    document = bill(tmp_path)
    validate(document)
    assert document["compositions"][0]["aggregate"] == "incomplete"
    assert len(document["metadata"]["properties"]) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(serialNumber="urn:uuid:x"),
        lambda document: document.update(specVersion="1.5"),
        lambda document: document["components"].append(document["components"][0]),
        lambda document: document["components"][0].update(hashes=[{"alg": "SHA-256", "content": "ff"}]),
        lambda document: document["components"][0].update(type="dataset"),
        lambda document: document["components"][0].update(modelCard={}),
        lambda document: document["components"][0].update(data=[{"type": "rows"}]),
        lambda document: document["dependencies"].append({"ref": "nobody"}),
        lambda document: document["dependencies"][0]["dependsOn"].append(document["dependencies"][0]["dependsOn"][0]),
    ],
)
def test_a_document_that_breaks_the_format_is_not_written(tmp_path: Path, change: Callable[[dict], object]):
    document = bill(put(tmp_path, {"data/rows.jsonl": "{}\n"}))
    assert problems_of(document) == ()
    change(document)
    assert problems_of(document)


def test_parsing_code_warns_nobody():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_code("app.py", b'x = "\\d"\n1 is 1\n') == ()
