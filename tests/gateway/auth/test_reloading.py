"""SIGHUP under real TLS: certificates, callers, secrets and telemetry change, and no stream is dropped."""

import asyncio
import json
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.authority import Authority

SERVE = """
import json, sys
from pathlib import Path
from lockgate.core.project import open_project
from lockgate.gateway import create, read_application, run_server
root = Path(sys.argv[1])
project = open_project(root)
_, key = create(project, "test")
def again():
    now = open_project(root)
    return now, read_application(now)
def say(**fields):
    print(json.dumps(fields), flush=True)
run_server(
    project, port=0, source="serve", workers=int(sys.argv[2]), read_again=again,
    on_ready=lambda it: say(base_url=it.base_url, key=key), on_reload=lambda text: say(reload=text),
)
"""
PIECE = b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % (
    b"A sentence that is let through. " * 12
)
WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}]}
LOOPBACK = x509.IPAddress(ip_address("127.0.0.1"))


class Model:
    """An upstream that remembers the keys it was shown; its streams stop in the middle until they may go on."""

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[str] = []
        self.go_on = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.keys.append(request.headers.get("authorization", ""))
        if not (await request.json()).get("stream"):
            return web.json_response(WHOLE)
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await response.write(PIECE)
        await self.go_on.wait()
        await response.write(PIECE + b"data: [DONE]\n\n")
        return response


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    found = Model()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield found
    found.go_on.set()
    await runner.cleanup()


class Endpoint:
    """A gateway in a process of its own, and the settings that it reads."""

    def __init__(self, root: Path, model: Model) -> None:
        self.root = root
        self._model = model
        self.base_url = self.key = ""
        self.process: Any = None

    def write(self, settings: str, key: str = "") -> None:
        """Write the settings; `key` says where the upstream's key lies."""
        self.root.mkdir(exist_ok=True)
        upstream = f'{{kind: openai, base_url: "{self._model.url}", model: m{key}}}'
        text = f"version: 1\nproject: p\nserve:\n  upstream: {upstream}\n{settings}"
        (self.root / "lockgate.yaml").write_text(text)

    @property
    def port(self) -> int:
        return int(self.base_url.split(":")[2].split("/")[0])

    async def says(self) -> dict[str, Any]:
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    async def reload(self) -> str:
        self.process.send_signal(signal.SIGHUP)
        return (await self.says())["reload"]

    async def status(self, tls: ssl.SSLContext | None = None, **options: Any) -> int:
        """The status of one chat over a connection of its own."""
        async with aiohttp.ClientSession() as session, self.chat(session, tls, **options) as response:
            await response.read()
            return response.status

    def chat(self, session: aiohttp.ClientSession, tls: Any = None, key: str | None = None, **fields: Any) -> Any:
        body = {"model": "assistant", "messages": [{"role": "user", "content": "Hello"}], **fields}
        shown = self.key if key is None else key
        headers = {"authorization": f"Bearer {shown}"} if shown else {}
        return session.post(f"{self.base_url}/chat/completions", json=body, headers=headers, ssl=tls or True)


@asynccontextmanager
async def serving(
    root: Path, model: Model, settings: str, *, workers: int = 1, key: str = ""
) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(root, model)
    endpoint.write(settings, key)
    command = [sys.executable, "-c", SERVE, str(root), str(workers)]
    endpoint.process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        ready = await endpoint.says()
        endpoint.base_url, endpoint.key = ready["base_url"], ready["key"]
        yield endpoint
    finally:
        if endpoint.process.returncode is None:
            endpoint.process.terminate()
        await asyncio.wait_for(endpoint.process.communicate(), 60)


class Pki:
    """Two authorities, a server certificate and a client certificate of each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authorities = [Authority(folder, name) for name in ("first", "second")]
        self.servers = [a.issue(f"server-{a.path.stem}", LOOPBACK, server=True) for a in self.authorities]
        self.clients = [a.issue(f"client-{a.path.stem}", x509.DNSName("batch.example")) for a in self.authorities]

    def settings(self, server: int, clients: int, more: str = "alone: true") -> str:
        _, certificate, key = self.servers[server]
        rules = "rules: [{dns: batch.example, tenant: north}]"
        places = f'certificate: "{certificate}", key: "{key}", client_ca: "{self.authorities[clients].path}"'
        return f"  tls: {{{places}, {rules}, {more}}}\n"

    def client(self, server: int, own: int | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authorities[server].path))
        if own is not None:
            context.load_cert_chain(*self.clients[own][1:])
        return context


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


async def test_a_client_certificate_opens_the_door_and_nothing_else_does(
    tmp_path: Path, model: Model, pki: Pki
) -> None:
    async with serving(tmp_path / "p", model, pki.settings(0, 0)) as endpoint:
        assert endpoint.base_url.startswith("https://")
        assert await endpoint.status(pki.client(0, 0), key="") == 200
        assert await endpoint.status(pki.client(0, 0), key="wrong") == 401
        for tls in (pki.client(0, None), pki.client(0, 1)):
            with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
                await endpoint.status(tls)
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await endpoint.status(pki.client(1, 0))
    assert len(model.keys) == 1


@pytest.mark.parametrize("workers", [1, 2])
async def test_certificates_change_under_a_stream(tmp_path: Path, model: Model, pki: Pki, workers: int) -> None:
    async with (
        serving(tmp_path / "p", model, pki.settings(0, 0), workers=workers) as endpoint,
        aiohttp.ClientSession() as session,
    ):
        async with endpoint.chat(session, pki.client(0, 0), key="", stream=True) as stream:
            assert stream.status == 200
            await stream.content.readuntil(b"let through")
            endpoint.write(pki.settings(1, 1))
            assert await endpoint.reload() == ""
            for _ in range(2 * workers):
                assert await endpoint.status(pki.client(1, 1), key="") == 200
                with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
                    await endpoint.status(pki.client(1, 0), key="")
            model.go_on.set()
            assert (await stream.text()).endswith("data: [DONE]\n\n")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):  # the old connection is not used again
            async with endpoint.chat(session, pki.client(0, 0), key=""):
                pass


async def test_a_handshake_that_began_before_the_change_leads_nowhere(tmp_path: Path, model: Model, pki: Pki) -> None:
    async with serving(tmp_path / "p", model, pki.settings(0, 0)) as endpoint:
        early = socket.create_connection(("127.0.0.1", endpoint.port))
        assert await endpoint.status(pki.client(0, 0), key="") == 200  # so that the early one was accepted
        endpoint.write(pki.settings(0, 1))
        assert await endpoint.reload() == ""
        tls = pki.client(0, 0)
        reader, writer = await asyncio.open_connection(sock=early, ssl=tls, server_hostname="127.0.0.1")
        writer.write(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readuntil(b"\r\n")
        writer.close()


async def test_the_same_names_with_other_certificates_behind_them(tmp_path: Path, model: Model, pki: Pki) -> None:
    async with serving(tmp_path / "p", model, pki.settings(0, 0)) as endpoint:
        shown = await served_certificate(endpoint, pki.client(0, 0))
        assert shown == pki.servers[0][0].public_bytes(Encoding.DER)
        assert await endpoint.reload() == ""
        assert await served_certificate(endpoint, pki.client(0, 0)) == shown
        for own, other in zip(pki.servers[0][1:], pki.servers[1][1:], strict=True):
            own.write_bytes(other.read_bytes())
        assert await endpoint.reload() == ""
        again = await served_certificate(endpoint, pki.client(1, 0))
        assert again == pki.servers[1][0].public_bytes(Encoding.DER)


async def served_certificate(endpoint: Endpoint, tls: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection("127.0.0.1", endpoint.port, ssl=tls, server_hostname="127.0.0.1")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return shown


async def test_settings_that_cannot_be_used_change_nothing(tmp_path: Path, model: Model, pki: Pki) -> None:
    async with serving(tmp_path / "p", model, pki.settings(0, 0)) as endpoint:
        endpoint.write(pki.settings(1, 1).replace("server-second.crt", "missing.crt"))
        assert "serve.tls" in await endpoint.reload()
        endpoint.write(
            pki.settings(1, 1) + "  secrets: {vault: {address: 'https://v.example', token: 'env:NONE'}}\n",
            ", api_key_ref: 'vault:a#b'",
        )
        assert "NONE" in await endpoint.reload()
        assert await endpoint.status(pki.client(0, 0), key="") == 200
        assert await endpoint.status(pki.client(0, 0)) == 200


async def test_issuers_and_the_pepper_change(tmp_path: Path, model: Model, signers: dict[str, Any]) -> None:
    pepper = tmp_path / "pepper"
    pepper.touch(0o600)
    pepper.write_text("0" * 64)
    token = signers["ES256"].token()
    auth = f"  auth:\n    pepper: 'file:{pepper}'\n"
    async with serving(tmp_path / "p", model, auth) as endpoint:
        assert await endpoint.status() == 200
        assert await endpoint.status(key=token) == 401
        (endpoint.root / "keys.json").write_text(json.dumps({"keys": [signers["ES256"].jwk()]}))
        endpoint.write(
            auth + "    issuers: [{issuer: 'https://issuer.example', audience: [gateway], jwks_file: keys.json}]\n"
        )
        assert await endpoint.reload() == ""
        assert (await endpoint.status(), await endpoint.status(key=token)) == (200, 200)
        pepper.write_text("1" * 64)
        assert await endpoint.reload() == ""
        assert (await endpoint.status(), await endpoint.status(key=token)) == (401, 200)


async def test_secrets_are_fetched_anew_and_may_move(tmp_path: Path, model: Model) -> None:
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.touch(0o600)
        place.write_text(f"sk-{place.name}")
    named = [f", api_key_ref: 'file:{place}'" for place in places]
    async with serving(tmp_path / "p", model, "", key=named[0]) as endpoint:
        assert await endpoint.status() == 200
        places[0].write_text("sk-rotated")
        assert await endpoint.reload() == ""
        assert await endpoint.status() == 200
        endpoint.write("  secrets: {ttl_s: 60}\n", named[1])
        assert await endpoint.reload() == ""
        assert await endpoint.status() == 200
    assert model.keys == ["Bearer sk-one", "Bearer sk-rotated", "Bearer sk-two"]


async def test_a_rotated_key_travels_without_a_reload_and_one_that_is_gone_not_at_all(
    tmp_path: Path, model: Model
) -> None:
    place = tmp_path / "one"
    place.touch(0o600)
    place.write_text("sk-one")
    async with serving(
        tmp_path / "p", model, "  secrets: {ttl_s: 1}\n", key=f", api_key_ref: 'file:{place}'"
    ) as endpoint:
        assert await endpoint.status() == 200
        place.write_text("sk-two")
        await asyncio.sleep(1.1)
        assert await endpoint.status() == 200
        place.unlink()
        await asyncio.sleep(1.1)
        assert await endpoint.status() == 503
        place.touch(0o600)
        place.write_text("sk-three")
        await asyncio.sleep(1.1)
        assert await endpoint.status() == 200
    assert model.keys == ["Bearer sk-one", "Bearer sk-two", "Bearer sk-three"]


async def test_the_access_log_is_switched_on_and_off_and_metrics_go_on(tmp_path: Path, model: Model) -> None:
    async with serving(tmp_path / "p", model, "") as endpoint:
        await endpoint.status()
        endpoint.write("  telemetry: {access_log: json}\n")
        assert await endpoint.reload() == ""
        await endpoint.status()
        endpoint.write("  telemetry: {access_log: 'off'}\n")
        assert await endpoint.reload() == ""
        await endpoint.status()
        endpoint.process.terminate()
        _, told = await endpoint.process.communicate()
    lines = [json.loads(line) for line in told.decode().splitlines() if line.startswith("{")]
    assert [line["route"] for line in lines] == ["/v1/chat/completions"]
