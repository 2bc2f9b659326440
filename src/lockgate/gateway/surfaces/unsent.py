"""Fields of official clients that are read and never travel.

They say what other servers do not know, or say in so many words what goes without saying. Many clients send them
always: `null` for what was not set, a key for OpenAI's cache, an earlier answer as it came. With any other value they
are refused, for the caller would miss what they ask for.
"""

from typing import Annotated, Literal

from msgspec import Meta

from lockgate.gateway.request import Json, Strict

EmptyList = Annotated[tuple[Json, ...], Meta(max_length=0)]
EmptyObject = Annotated[dict[str, Json], Meta(max_length=0)]


class UnsentAnywhere(Strict, frozen=True, kw_only=True):
    """Fields of OpenAI's chat completions and responses."""

    service_tier: Literal["auto", "default"] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    top_logprobs: Literal[0] | None = None


class UnsentChat(UnsentAnywhere, frozen=True, kw_only=True):
    """Fields of OpenAI's chat completions."""

    logit_bias: EmptyObject | None = None
    logprobs: Literal[False] | None = None
    functions: EmptyList | None = None
    function_call: Literal["auto", "none"] | None = None
    modalities: tuple[Literal["text"]] | None = None
    verbosity: Literal["medium"] | None = None
    audio: None = None
    prediction: None = None
    web_search_options: None = None


class UnsentResponses(UnsentAnywhere, frozen=True, kw_only=True):
    """Fields of OpenAI's responses."""

    max_tool_calls: None = None
    prompt: None = None


class UnsentMessages(Strict, frozen=True, kw_only=True):
    """Fields of Anthropic's messages."""

    service_tier: Literal["auto", "standard_only"] | None = None
    mcp_servers: EmptyList | None = None
    container: None = None
    context_management: None = None
    inference_geo: None = None
    output_config: None = None
    output_format: None = None
