"""LG-SUPPLY-113."""

import ast
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.names import dotted
from lockgate.supply.code.subject import Call, CodeFile


class OpenEndpoint(Check[CodeFile], frozen=True):
    """Finds endpoints that ask a model for anybody: for every web site, or without authentication.

    Why it matters:
        Every call costs money and may read private data. An endpoint without authentication serves strangers on your
        bill, and one that every web site may call serves them with the visitor's rights.

    Fails on:
        Every web site may call an application that asks a model:

            import openai
            from fastapi import FastAPI
            from fastapi.middleware.cors import CORSMiddleware
            app = FastAPI()
            app.add_middleware(CORSMiddleware, allow_origins=["*"])

    Passes on:
        One web site may:

            import openai
            from fastapi import FastAPI
            from fastapi.middleware.cors import CORSMiddleware
            app = FastAPI()
            app.add_middleware(CORSMiddleware, allow_origins=["https://app.example"])

    Limits:
        Looks at one file. Authentication in a proxy, in middleware of another file or on a router is not seen, hence
        the low confidence; a policy may ask for more.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-113",
        title="Model behind an open endpoint",
        severity=Severity.MEDIUM,
        confidence=Confidence.LOW,
        maps=(
            "LLM10:2025",
            "ASI03:2026",
            "AML.T0040",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report open origins, and routes that ask a model for anybody."""
        if not subject.asks:
            return
        uri = subject.ref.uri
        for call in subject.calls:
            if _opens(call):
                yield self.finding(
                    f"{call.name} lets every web site call this application. Name the origins that may.",
                    at=Location(uri, call.place, call.line),
                    confidence=Confidence.MEDIUM,
                )
        if any(map(_authenticates, subject.calls)):
            return
        for route in subject.routes:
            if route.asks and not route.guarded:
                yield self.finding(
                    f"{route.place} asks a model for anybody who calls it. Require authentication and a limit.",
                    at=Location(uri, f"{route.place}#route", route.line),
                )


def _opens(call: Call) -> bool:
    if call.name in {"flask_cors.CORS", "flask_cors.cross_origin"}:
        origins = call.argument("origins", "resources")
        return not call.spreads and (origins is None or _is_any(origins.value))
    origins = call.argument("allow_origins")
    return origins is not None and _is_any(origins.value)


def _is_any(value: ast.expr) -> bool:
    items = value.elts if isinstance(value, ast.List | ast.Tuple | ast.Set) else [value]
    return any(isinstance(item, ast.Constant) and item.value == "*" for item in items)


def _authenticates(call: Call) -> bool:
    """Whether an application or router is made with something that authenticates, or gets it as middleware."""
    if call.last == "add_middleware":
        first = call.argument("0")
        return first is not None and "auth" in dotted(first.value, {}).lower()
    return call.last in {"FastAPI", "APIRouter", "include_router"} and call.argument("dependencies") is not None
