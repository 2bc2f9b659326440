"""A server of the tests' own that speaks as much of Fulcio's, Rekor's and an issuer's HTTP as signing needs."""

import base64
import binascii
import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from support.sigstore_instance import Instance, first_body, second_body

SECRET = "the issuer's key, which only this server has to know"  # long enough for HS256


def token(issuer: str, name: str, *, lasts: int = 600, audience: str = "sigstore") -> str:
    """An identity token of that issuer."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims = {"iss": issuer, "sub": name, "aud": audience, "iat": now, "exp": now + lasts}
    return jwt.encode(claims, SECRET, algorithm="HS256")


class Server:
    """What the server was asked, and how it answers.

    Attributes:
        url: Its address.
        asked: Method and path of every request.
        fail: A path, and the status and text with which it is answered instead.
        issuer: Whose tokens count.
    """

    def __init__(self, instance: Instance, *, stamped: bool) -> None:
        self.instance, self.stamped = instance, stamped
        self.asked: list[str] = []
        self.fail: dict[str, tuple[int, str]] = {}
        self.url = ""

    @property
    def issuer(self) -> str:
        return f"{self.url}/issuer"

    def config(self) -> dict[str, Any]:
        """The client trust configuration, as JSON."""
        valid = {"start": "2020-01-01T00:00:00Z"}

        def service(path: str, version: int = 1) -> list[dict[str, Any]]:
            return [{"url": self.url + path, "majorApiVersion": version, "validFor": valid, "operator": "tests"}]

        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service(""),
            "oidcUrls": service("/issuer"),
            "rekorTlogUrls": service("", 2 if self.stamped else 1),
            "tsaUrls": service("/stamp") if self.stamped else [],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaConfig": {"selector": "ANY"},
        }
        kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        return {"mediaType": kind, "trustedRoot": self.instance.trusted_root(), "signingConfig": signing}

    def certificate(self, body: bytes, authorization: str) -> dict[str, Any]:
        """POST /api/v2/signingCert of Fulcio."""
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"], audience="sigstore", issuer=self.issuer
        )
        request = x509.load_pem_x509_csr(base64.b64decode(json.loads(body)["certificateSigningRequest"]))
        leaf = self.instance.certify(request.public_key(), identity=claims["sub"], issuer=claims["iss"])
        chain = [leaf, self.instance.authority, self.instance.root]
        found = [one.public_bytes(Encoding.PEM).decode() for one in chain]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": found}}}

    def first_entry(self, body: bytes) -> dict[str, Any]:
        """POST /api/v1/log/entries of a log of the first kind."""
        proposed = json.loads(body)["spec"]["proposedContent"]
        envelope = json.loads(proposed["envelope"])
        payload, signature = (base64.b64decode(one) for one in (envelope["payload"], envelope["signatures"][0]["sig"]))
        leaf = x509.load_pem_x509_certificate(base64.b64decode(proposed["verifiers"][0]))
        found = self.instance.entry(first_body(payload, signature, leaf))
        proof = found["inclusionProof"]
        answer = {
            "body": found["canonicalizedBody"],
            "integratedTime": int(found["integratedTime"]),
            "logID": _hex(found["logId"]["keyId"]),
            "logIndex": int(found["logIndex"]),
            "verification": {
                "signedEntryTimestamp": found["inclusionPromise"]["signedEntryTimestamp"],
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": [_hex(one) for one in proof["hashes"]],
                    "logIndex": int(proof["logIndex"]),
                    "rootHash": _hex(proof["rootHash"]),
                    "treeSize": int(proof["treeSize"]),
                },
            },
        }
        return {"entry": answer}

    def second_entry(self, body: bytes) -> dict[str, Any]:
        """POST /api/v2/log/entries of a log of the second kind."""
        asked = json.loads(body)["hashedRekordRequestV002"]
        signature = base64.b64decode(asked["signature"]["content"])
        raw = base64.b64decode(asked["signature"]["verifier"]["x509Certificate"]["rawBytes"])
        kept = second_body(base64.b64decode(asked["digest"]), signature, raw)
        return self.instance.entry(kept, promised=False, kind="hashedrekord")

    def stamp(self, body: bytes) -> bytes:
        """POST of a time stamp request."""
        asked = tsp.TimeStampReq.load(body)
        digest = asked["message_imprint"]["hashed_message"].native
        return base64.b64decode(self.instance.stamp(digest, nonce=asked["nonce"].native))


def _hex(text: str) -> str:
    return binascii.hexlify(base64.b64decode(text)).decode()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(f"GET {self.path}")
            endpoints = {name: f"{server.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            self._answer(endpoints)

        def do_POST(self) -> None:
            server.asked.append(f"POST {self.path}")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path in server.fail:
                status, text = server.fail[self.path]
                self._answer({"code": status, "message": text}, status)
            elif self.path == "/stamp":
                self._answer(server.stamp(body))
            elif self.path == "/api/v2/signingCert":
                self._answer(server.certificate(body, self.headers["Authorization"]))
            else:
                self._answer(server.first_entry(body) if "v1" in self.path else server.second_entry(body))

        def _answer(self, found: dict[str, Any] | bytes, status: int = 200) -> None:
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def serving(instance: Instance, *, stamped: bool = False) -> Iterator[Server]:
    """Serve an instance for a while.

    Args:
        instance: Whose authority, logs and time stamper answer.
        stamped: The log is of the second kind, so that the time comes from the time stamper.
    """
    server = Server(instance, stamped=stamped)
    running = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
