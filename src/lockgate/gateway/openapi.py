"""The OpenAPI document of what is served, made from the table of routes and the types of their bodies."""

import functools

import msgspec

from lockgate import __version__
from lockgate.gateway.request import Json
from lockgate.gateway.routes import MODEL, ROUTES, Route

_ERROR = "Error"
_ANTHROPIC_ERROR = "AnthropicError"
_STATUSES = {
    "400": "The request is malformed, or the guard blocked it (`content_filter`).",
    "401": "The credential is missing or wrong.",
    "403": "The credential may not do this.",
    "404": "There is no such model or address.",
    "405": "Another method.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "429": "A limit is reached.",
    "500": "A fault of the gateway.",
    "502": "The model server failed.",
    "503": "The guard could not judge, or there is too much to do.",
    "504": "The model server did not answer in time.",
}
_TEXT = {"type": "string"}


@functools.cache
def openapi_document() -> bytes:
    """The document as OpenAPI 3.1 in JSON."""
    bodies = [route.body for route in ROUTES if route.body]
    _, components = msgspec.json.schema_components(
        bodies, schema_hook=_any_json, ref_template="#/components/schemas/{name}"
    )
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Lockgate gateway",
                "version": __version__,
                "description": "Every text that travels is judged by the guard; a field that is not listed is refused.",
            },
            "paths": paths,
            "components": {
                "schemas": components | {_ERROR: _error(), _ANTHROPIC_ERROR: _anthropic_error()},
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer"},
                    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                },
            },
        }
    )


def _any_json(_: type) -> Json:
    """Schemas of tools hold whatever JSON holds."""
    return {"description": "Any JSON value."}


def _operation(route: Route) -> Json:
    error = {"$ref": f"#/components/schemas/{_ERROR if route.shape == 'openai' else _ANTHROPIC_ERROR}"}
    content: Json = {"application/json": {"schema": {"type": "object"}}}
    if route.streams:
        content["text/event-stream"] = {"schema": _TEXT}
    responses: Json = {"200": {"description": "The answer.", "content": content}}
    responses |= {
        status: {"description": why, "content": {"application/json": {"schema": error}}}
        for status, why in _STATUSES.items()
    }
    operation: Json = {"summary": route.summary, "operationId": _operation_id(route), "responses": responses}
    if route.needs_key:
        operation["security"] = [{"bearer": []}, {"x-api-key": []}]
    if route.body:
        schema = {"$ref": f"#/components/schemas/{route.body.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.path == MODEL:
        operation["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": _TEXT}]
    return operation


def _operation_id(route: Route) -> str:
    words = route.path.strip("/").replace("{", "").replace("}", "").replace(".", "/").split("/")
    return "_".join([route.method.lower(), *words])


def _error() -> Json:
    fields: Json = {
        "message": _TEXT,
        "type": _TEXT,
        "param": {"type": ["string", "null"]},
        "code": _TEXT,
    }
    return _object({"error": _object(fields)})


def _anthropic_error() -> Json:
    inner = _object({"type": _TEXT, "message": _TEXT, "code": _TEXT, "param": {"type": ["string", "null"]}})
    return _object({"type": {"const": "error"}, "error": inner, "request_id": _TEXT})


def _object(fields: Json) -> Json:
    return {"type": "object", "required": list(fields), "properties": fields}
