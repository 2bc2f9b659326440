"""Finds AI components in Python code: models, data sets, endpoints, MCP servers and prompts. The code is never run.

Only literal text counts: a name that is computed at run time is not guessed. The text of a prompt stays where it is;
the bill names its place and digest.
"""

import ast
import json
from collections.abc import Iterator
from typing import Literal, cast

import msgspec

from lockgate.core.subject import sha256_hex
from lockgate.supply.address import bare_url
from lockgate.supply.code.units import read_units
from lockgate.supply.errors import SupplyError

MAX_BYTES = 2 << 20
MIN_PROMPT = 40
MAX_NAME = 300
Kind = Literal["model", "dataset", "endpoint", "mcp-server", "prompt"]

_MODEL_KEYWORDS = {"model", "model_name", "model_id", "repo_id", "pretrained_model_name_or_path", "deployment_name"}
_ENDPOINT_KEYWORDS = {"base_url", "api_base", "azure_endpoint", "endpoint", "endpoint_url", "host", "server_url"}
_MODEL_CALLS = {"from_pretrained", "hf_hub_download", "snapshot_download", "SentenceTransformer", "CrossEncoder"}
_DATASET_CALLS = {"load_dataset"}
_MCP_URL_CALLS = {"sse_client", "streamablehttp_client", "streamable_http_client", "websocket_client"}
_MCP_COMMAND_CALLS = {"StdioServerParameters", "MCPServerStdio"}
_MCP_SERVERS = {"FastMCP"}
_PROMPT_NAMES = ("prompt", "system_message", "instructions")
CLIENTS = {
    "OpenAI": "https://api.openai.com/v1",
    "AsyncOpenAI": "https://api.openai.com/v1",
    "ChatOpenAI": "https://api.openai.com/v1",
    "Anthropic": "https://api.anthropic.com",
    "AsyncAnthropic": "https://api.anthropic.com",
    "ChatAnthropic": "https://api.anthropic.com",
    "Mistral": "https://api.mistral.ai",
    "Groq": "https://api.groq.com",
    "CohereClient": "https://api.cohere.com",
    "InferenceClient": "https://router.huggingface.co",
}
"""Clients that talk to a service of their own unless code names another."""


class Found(msgspec.Struct, frozen=True, order=True):
    """An AI component that code names.

    Attributes:
        kind: What it is.
        name: Its name: a model id, a URL without credentials and query, a command. For a prompt the name of the
            variable.
        uri: The file.
        line: Line, 1-based; the cell's lines run on in a notebook.
        sha256: Digest of a prompt's text.
    """

    kind: Kind
    name: str
    uri: str
    line: int
    sha256: str = ""


def read_code(uri: str, body: bytes) -> tuple[Found, ...]:
    """What a Python file or notebook names.

    Raises:
        ValueError: It cannot be parsed.
    """
    try:
        units = read_units(uri, body)
    except SupplyError as error:
        raise ValueError(f"{uri} is no Python that can be parsed") from error
    found: set[Found] = set()
    before = 0
    for unit in units:
        found |= {msgspec.structs.replace(item, line=item.line + before) for item in _walk(unit.tree, uri)}
        before += len(unit.text.splitlines())
    return tuple(sorted(found))


def read_mcp_settings(uri: str, body: bytes) -> tuple[Found, ...]:
    """The MCP servers that a client's settings file names (`mcpServers`, or `servers` in VS Code).

    Raises:
        ValueError: It is not JSON.
    """
    try:
        found: object = json.loads(body)
    except RecursionError as error:
        raise ValueError(f"{uri} is nested too deeply") from error
    document = _mapping(found)
    servers = _mapping(document.get("mcpServers")) or _mapping(document.get("servers"))
    return tuple(Found("mcp-server", _server(name, _mapping(entry)), uri, 1) for name, entry in sorted(servers.items()))


def is_mcp_settings(uri: str) -> bool:
    """Whether a file of that name holds a client's MCP servers."""
    return uri.rpartition("/")[2] in {"mcp.json", ".mcp.json", "claude_desktop_config.json"}


def _server(name: str, entry: dict[str, object]) -> str:
    url, command, arguments = entry.get("url"), entry.get("command"), entry.get("args")
    if isinstance(url, str):
        return f"{name}: {bare_url(url)}"[:MAX_NAME]
    # Only the program and the package that it starts: further arguments may be secret.
    package = next((item for item in _texts(arguments) if not item.startswith("-")), "")
    return f"{name}: {command if isinstance(command, str) else ''} {package}".strip()[:MAX_NAME]


def _walk(tree: ast.AST, uri: str) -> Iterator[Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, uri)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, uri)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _assigned(node.target, node.value, uri)
        elif isinstance(node, ast.Dict):
            yield from _message(node, uri)


def _call(node: ast.Call, uri: str) -> Iterator[Found]:
    name = _called(node.func)
    first = _literal(node.args[0]) if node.args else ""
    keywords = {item.arg: _literal(item.value) for item in node.keywords if item.arg}
    line = node.lineno
    if name in _DATASET_CALLS:
        yield from _named("dataset", first or keywords.get("path", ""), uri, line)
    elif name in _MODEL_CALLS:
        yield from _named("model", first, uri, line)
    elif name in _MCP_URL_CALLS:
        yield from _named("mcp-server", bare_url(first or keywords.get("url", "")), uri, line)
    elif name in _MCP_COMMAND_CALLS:
        package = next((item for item in _list(node, "args") if not item.startswith("-")), "")
        yield from _named("mcp-server", f"{keywords.get('command', '')} {package}".strip(), uri, line)
    elif name in _MCP_SERVERS:
        yield from _named("mcp-server", first or keywords.get("name", ""), uri, line)
    for keyword, value in keywords.items():
        if keyword in _MODEL_KEYWORDS:
            yield from _named("model", value, uri, line)
        elif keyword in _ENDPOINT_KEYWORDS:
            yield from _named("endpoint", bare_url(value), uri, line)
    if name in CLIENTS and not _ENDPOINT_KEYWORDS & keywords.keys():
        yield Found("endpoint", CLIENTS[name], uri, line)


def _assigned(target: ast.expr, value: ast.expr, uri: str) -> Iterator[Found]:
    name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
    text = _literal(value)
    if len(text) >= MIN_PROMPT and any(part in name.lower() for part in _PROMPT_NAMES):
        yield Found("prompt", name[:MAX_NAME], uri, value.lineno, _digest(text))


def _message(node: ast.Dict, uri: str) -> Iterator[Found]:
    entries = {_literal(key): value for key, value in zip(node.keys, node.values, strict=True) if key is not None}
    content = entries.get("content")
    if content is not None and "role" in entries and _literal(entries["role"]) in {"system", "developer"}:
        text = _literal(content)
        if text:
            yield Found("prompt", "system message", uri, content.lineno, _digest(text))


def _named(kind: Kind, name: str, uri: str, line: int) -> Iterator[Found]:
    if name and len(name) <= MAX_NAME and name.isprintable():
        yield Found(kind, name, uri, line)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _list(node: ast.Call, keyword: str) -> list[str]:
    for item in node.keywords:
        if item.arg == keyword and isinstance(item.value, ast.List):
            return [text for element in item.value.elts if (text := _literal(element))]
    return []


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str)]


def _digest(text: str) -> str:
    return sha256_hex(text.encode("utf-8", "surrogatepass"))
