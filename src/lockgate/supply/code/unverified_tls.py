"""LG-SUPPLY-109."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.clients import root
from lockgate.supply.code.subject import Assignment, Call, CodeFile

_SAYS = "does not verify the server's certificate"
_REMEDY = "Trust the authority that signed it instead."
_WEB = frozenset({"requests", "httpx", "boto3", "botocore", "urllib3", "httpcore"})
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "request", "stream", "ws_connect"})


class UnverifiedTls(Check[CodeFile], frozen=True):
    """Finds connections whose certificate is not verified.

    Why it matters:
        Without verification anybody on the way reads prompts, answers and API keys, and answers in the model's place.

    Fails on:
        Verification is off:

            import httpx
            httpx.Client(verify=False)

    Passes on:
        A private authority is trusted by name:

            import httpx
            httpx.Client(verify="/etc/ssl/our-ca.pem")

    Limits:
        Sees literals. Settings and environment variables that switch verification off are not followed.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-109",
        title="TLS without verification",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=(
            "LLM02:2025",
            "ASI07:2026",
            "AML.T0024",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every switch that turns verification off."""
        uri = subject.ref.uri
        for call in subject.calls:
            switch = _switched_off(call)
            if switch:
                yield self.finding(
                    f"{call.name} {_SAYS} ({switch}). {_REMEDY}", at=Location(uri, call.place, call.line)
                )
        for item in subject.assignments:
            off = item.name.endswith(".check_hostname") and item.value is False
            if off or (item.name.endswith(".verify_mode") and item.value == "ssl.CERT_NONE") or _session(item):
                yield self.finding(f"{item.name} {_SAYS}. {_REMEDY}", at=Location(uri, item.place, item.line))


def _session(item: Assignment) -> bool:
    return item.name.endswith(".verify") and item.value is False and "session" in item.name.lower()


def _switched_off(call: Call) -> str:
    if call.name in {"ssl._create_unverified_context", "ssl._create_stdlib_context"}:
        return "no verification"
    if call.constant("verify_ssl") is False:
        return "verify_ssl=False"
    web = root(call.name) in _WEB or call.last in _METHODS
    if web and call.constant("verify") is False:
        return "verify=False"
    aiohttp = call.name.startswith("aiohttp.") or call.last in _METHODS
    return "ssl=False" if aiohttp and call.constant("ssl") is False else ""
