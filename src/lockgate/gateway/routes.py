"""Every address that is served, in one table, and what is said of those that are not."""

from typing import Literal

import msgspec

from lockgate.gateway.errors import ApiError
from lockgate.gateway.surfaces.chat_request import ChatRequest
from lockgate.gateway.surfaces.completions import CompletionRequest
from lockgate.gateway.surfaces.embeddings import EmbeddingRequest
from lockgate.gateway.surfaces.messages_request import CountRequest, MessagesRequest
from lockgate.gateway.surfaces.opinion import GuardRequest, ModerationRequest
from lockgate.gateway.surfaces.responses_request import ResponsesRequest


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One address.

    Attributes:
        path: As documentation writes it.
        method: The one method beside HEAD (for GET) and OPTIONS.
        summary: What it is for.
        shape: Whose errors it speaks.
        body: Type of the request's body; None where there is none.
        streams: Whether it can answer with server-sent events.
        needs_key: Whether a caller must show a credential.
    """

    path: str
    method: Literal["GET", "POST"]
    summary: str
    shape: Literal["openai", "anthropic"] = "openai"
    body: type[msgspec.Struct] | None = None
    streams: bool = False
    needs_key: bool = True

    @property
    def methods(self) -> str:
        """What the header `allow` says."""
        return "GET, HEAD, OPTIONS" if self.method == "GET" else "POST, OPTIONS"

    def takes(self, method: str) -> bool:
        """Whether requests with this method are answered; OPTIONS is answered for every route."""
        return method == self.method or (method == "HEAD" and self.method == "GET")


CHAT, RESPONSES, COMPLETIONS = "/v1/chat/completions", "/v1/responses", "/v1/completions"
MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
EMBEDDINGS, GUARD, MODERATIONS = "/v1/embeddings", "/v1/guard", "/v1/moderations"
MODELS, MODEL = "/v1/models", "/v1/models/{id}"
LIVE, READY, OPENAPI = "/livez", "/readyz", "/openapi.json"

ROUTES = (
    Route(path=CHAT, method="POST", summary="A chat completion.", body=ChatRequest, streams=True),
    Route(path=RESPONSES, method="POST", summary="A response, not stored.", body=ResponsesRequest, streams=True),
    Route(path=COMPLETIONS, method="POST", summary="A text completion.", body=CompletionRequest, streams=True),
    Route(
        path=MESSAGES,
        method="POST",
        summary="A message in Anthropic's shape.",
        shape="anthropic",
        body=MessagesRequest,
        streams=True,
    ),
    Route(
        path=COUNT,
        method="POST",
        summary="An estimate of a message's input tokens.",
        shape="anthropic",
        body=CountRequest,
    ),
    Route(path=EMBEDDINGS, method="POST", summary="Embeddings of texts.", body=EmbeddingRequest),
    Route(path=GUARD, method="POST", summary="The guard's verdict on a text or a conversation.", body=GuardRequest),
    Route(path=MODERATIONS, method="POST", summary="The guard's verdict as a moderation.", body=ModerationRequest),
    Route(path=MODELS, method="GET", summary="The models that are served."),
    Route(path=MODEL, method="GET", summary="One of them."),
    Route(path=LIVE, method="GET", summary="Whether the process answers.", needs_key=False),
    Route(path=READY, method="GET", summary="Whether requests would be served.", needs_key=False),
    Route(path=OPENAPI, method="GET", summary="This description.", needs_key=False),
)
_MODEL_PREFIX = b"/v1/models/"
_BY_PATH = {route.path: route for route in ROUTES}

# Interfaces of OpenAI's and Anthropic's that carry content past the guard, or keep it.
_REFUSED = {
    "/v1/batches": "Batches are not served: send the requests one by one, so that each is guarded.",
    "/v1/messages/batches": "Batches are not served: send the requests one by one, so that each is guarded.",
    "/v1/files": "Files are not served: the guard reads text in a request only.",
    "/v1/uploads": "Files are not served: the guard reads text in a request only.",
    "/v1/vector_stores": "Nothing is stored here.",
    "/v1/conversations": "Nothing is stored here: send the whole conversation.",
    "/v1/responses": "Nothing is stored here: send the whole conversation to /v1/responses.",
    "/v1/assistants": "Nothing is stored here: send the whole conversation.",
    "/v1/threads": "Nothing is stored here: send the whole conversation.",
    "/v1/audio": "Audio is not served: the guard cannot read it.",
    "/v1/images": "Images are not served: the guard cannot read them.",
    "/v1/videos": "Videos are not served: the guard cannot read them.",
    "/v1/realtime": "Realtime sessions are not served: the guard cannot read audio.",
    "/v1/fine_tuning": "Fine-tuning is not served.",
}


def find_route(path: str, raw_path: bytes) -> Route:
    """The route of an address. Nothing is normalised: an address is written in one way or is not ours.

    Args:
        path: The path with its percent-encoding undone.
        raw_path: The path as it was sent.

    Raises:
        ApiError: 404 `unknown_url`, or `unsupported_surface` for an interface that is refused on purpose.
    """
    exact = _BY_PATH.get(path)
    if exact is not None and exact.path != MODEL and b"%" not in raw_path:
        return exact
    if raw_path.startswith(_MODEL_PREFIX) and len(raw_path) > len(_MODEL_PREFIX):
        return _BY_PATH[MODEL]
    for prefix, why in _REFUSED.items():
        if path == prefix or path.startswith(prefix + "/"):
            raise ApiError(404, "unsupported_surface", why)
    raise ApiError(404, "unknown_url", "There is nothing at this address.")
