"""What is known of a request when it has been answered."""

import msgspec


class Finished(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A request that was answered.

    It has no place for a prompt, an answer, a key or anything a caller made up, except for the two ids of a trace.

    Attributes:
        id: The request id.
        at: When it came, seconds since 1970.
        method: A known HTTP method, else `-`.
        route: The route as documentation writes it, else `-`.
        status: What was answered.
        model: The alias that was asked for, once it is known to exist.
        provider: What kind of upstream answered.
        action: `allow`, `redact`, `hold`, `block` or `error`.
        labels: What led to it.
        key_id: Public id of the caller's key.
        tenant: Whom the key belongs to.
        source: Who causes the traffic.
        streams: Whether the answer was streamed.
        guard_s: Seconds in the guard.
        first_token_s: Seconds until the first piece of a streamed answer; 0 where there was none.
        total_s: Seconds until the last byte.
        input_tokens: What the upstream counted in.
        output_tokens: What it counted out.
        trace: The caller's W3C `traceparent`, checked; empty where there is none or nothing is traced.
        span: The `traceparent` that upstreams were told; empty where none was.
    """

    id: str
    at: float
    method: str
    route: str
    status: int
    model: str = ""
    provider: str = ""
    action: str = "allow"
    labels: tuple[str, ...] = ()
    key_id: str = ""
    tenant: str = ""
    source: str = ""
    streams: bool = False
    guard_s: float = 0.0
    first_token_s: float = 0.0
    total_s: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    trace: str = ""
    span: str = ""
