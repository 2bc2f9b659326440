"""OpenAI's own interface, and Azure's, which differs in its addresses and in the header of its key."""

from urllib.parse import quote

from lockgate.gateway.upstreams.dialect import Call, Surface, with_model
from lockgate.gateway.upstreams.wire import UpstreamAnswer, read_answer, read_chunk

_DONE = "[DONE]"


class OpenAIPieces:
    """Reads one streamed completion, which ends with `[DONE]`."""

    def __init__(self) -> None:
        self.ended = False

    def take(self, data: str) -> UpstreamAnswer | None:
        """The chunk in `data`; None for `[DONE]` and for an event without data, which only keeps a connection open.

        Raises:
            ApiError: 502, it is no chunk.
        """
        if data == _DONE:
            self.ended = True
            return None
        return read_chunk(data) if data else None


class OpenAIDialect:
    """The interface that vLLM, Ollama, llama.cpp, LiteLLM and Bedrock's compatible endpoint share.

    Args:
        base_url: Address up to and including `/v1`.
        api_key: Sent as a bearer token; empty for none.
        provider: What OpenTelemetry calls it.
    """

    def __init__(self, base_url: str, api_key: str, *, provider: str = "openai") -> None:
        self._base = base_url.rstrip("/")
        self.provider = provider
        key = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._headers = {
            False: {"accept": "application/json", **key},
            True: {"accept": "text/event-stream", **key},
        }

    def call(self, surface: Surface, body: bytes, model: str, *, streams: bool) -> Call:
        """The request as it is, addressed to `model`."""
        return Call(f"{self._base}/{surface}", self._headers[streams], with_model(body, model))

    def answer(self, content: bytes) -> UpstreamAnswer:
        """A whole chat completion.

        Raises:
            ApiError: 502, it is none.
        """
        return read_answer(content)

    def pieces(self) -> OpenAIPieces:
        """A reader for one stream."""
        return OpenAIPieces()


class AzureDialect(OpenAIDialect):
    """Azure OpenAI: the deployment stands in the path, the key in `api-key`.

    Args:
        base_url: Address of the resource.
        api_key: Its key.
        api_version: The `api-version` of every call.
        deployment: The deployment that is meant where a call names none.
    """

    def __init__(self, base_url: str, api_key: str, *, api_version: str, deployment: str) -> None:
        super().__init__(base_url, "", provider="azure.ai.openai")
        self._version = quote(api_version, safe="")
        self._deployment = deployment
        key = {"api-key": api_key} if api_key else {}
        self._headers = {streams: headers | key for streams, headers in self._headers.items()}

    def call(self, surface: Surface, body: bytes, model: str, *, streams: bool) -> Call:
        """The request for the deployment `model`."""
        deployment = quote(model or self._deployment, safe="")
        url = f"{self._base}/openai/deployments/{deployment}/{surface}?api-version={self._version}"
        return Call(url, self._headers[streams], with_model(body, model))
