"""Requests made from the served OpenAPI document, right and slightly wrong: every answer is a documented one."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SERVER_FAULT = 500
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


class Described:
    """Bodies by the schemas of an OpenAPI document. One value in about ten is of another kind than it should be."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.paths = [path for path, methods in document["paths"].items() if "post" in methods]

    def body(self, draw: Any, path: str) -> Any:
        content = self.document["paths"][path]["post"]["requestBody"]["content"]
        return self._value(draw, content["application/json"]["schema"], 0)

    def _value(self, draw: Any, schema: dict[str, Any], depth: int) -> Any:
        if depth > 8 or draw(st.integers(0, 9)) == 9:
            return draw(ANYTHING)
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            return self._value(draw, self.document["components"]["schemas"][name], depth + 1)
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self._value(draw, draw(st.sampled_from(options)), depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return draw(st.sampled_from(schema["enum"]))
        return self._plain(draw, schema, depth)

    def _plain(self, draw: Any, schema: dict[str, Any], depth: int) -> Any:
        match schema.get("type"):
            case "object":
                names = schema.get("properties", {})
                required = schema.get("required", [])
                chosen = {n: s for n, s in names.items() if n in required or draw(st.integers(0, 4)) == 4}
                return {name: self._value(draw, inner, depth + 1) for name, inner in chosen.items()}
            case "array":
                items = schema.get("items") or {}
                return [self._value(draw, items, depth + 1) for _ in range(draw(st.integers(0, 2)))]
            case "string":
                return draw(st.sampled_from(["assistant", "Hello", "", "user"]) | st.text(max_size=12))
            case "integer" | "number":
                return draw(st.integers(-2, 5) | st.floats(allow_nan=False) | st.integers())
            case "boolean":
                return draw(st.booleans())
            case _:
                return draw(ANYTHING)


def test_every_answer_to_a_made_up_request_is_a_documented_one(driven: tuple[asyncio.Runner, Any]) -> None:
    runner, world = driven
    document = Described(json.loads(runner.run(world.send("GET", "/openapi.json"))[2]))
    seen: set[int] = set()

    async def ask(path: str, body: bytes) -> None:
        status, headers, raw = await world.send("POST", path, body)
        operation = document.document["paths"][path]["post"]
        assert str(status) in operation["responses"]
        assert status < SERVER_FAULT, raw
        assert headers["x-request-id"].startswith("req-")
        if headers["content-type"] == "application/json":
            answer = json.loads(raw)
            assert status < 400 or {"message", "type", "param", "code"} <= set(answer["error"])
        seen.add(status)

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def fuzz(data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(document.paths))
        body = document.body(data.draw, path)
        runner.run(ask(path, json.dumps(body).encode("utf-8", "surrogatepass")))

    fuzz()
    assert {200, 400} <= seen
