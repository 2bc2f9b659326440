"""Every name that telemetry uses, in one place: the conventions for generative AI are still moving.

`GENAI` follows OpenTelemetry's semantic conventions for generative AI, version 1.44 (status: development). What
they have no word for is ours, under `lockgate.`.
"""

GENAI = {
    "operation": "gen_ai.operation.name",
    "provider": "gen_ai.provider.name",
    "request_model": "gen_ai.request.model",
    "streams": "gen_ai.request.stream",
    "first_chunk": "gen_ai.response.time_to_first_chunk",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "error": "error.type",
    "token_type": "gen_ai.token.type",
    "duration": "gen_ai.client.operation.duration",
    "tokens": "gen_ai.client.token.usage",
    "first_token": "gen_ai.client.operation.time_to_first_chunk",
}
# Where the conventions draw the borders of histograms; those of the SDK are for milliseconds.
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST_SECONDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TOKENS = tuple(4**power for power in range(14))
HTTP = {
    "route": "http.route",
    "status": "http.response.status_code",
    "method": "http.request.method",
}
OURS = {
    "verdict": "lockgate.verdict",
    "labels": "lockgate.labels",
    "guard_s": "lockgate.guard.duration",
    "request_id": "lockgate.request.id",
    "key_id": "lockgate.key.id",
    "tenant": "lockgate.tenant",
    "source": "lockgate.source",
}
# The operation that a route stands for, in the words of the conventions.
OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/responses": "chat",
    "/v1/messages": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}
METRICS = {
    "requests": ("lockgate_requests_total", "Requests that were answered."),
    "duration": ("lockgate_request_duration_seconds", "From the first byte of a request to the last of its answer."),
    "first_token": ("lockgate_time_to_first_token_seconds", "From a request to the first piece of a streamed answer."),
    "guard": ("lockgate_guard_duration_seconds", "Time that a request spent in the guard."),
    "verdicts": ("lockgate_verdicts_total", "What was decided: allow, redact, hold, block, or error."),
    "tokens": ("lockgate_tokens_total", "Tokens that upstreams counted."),
    "in_flight": ("lockgate_requests_in_flight", "Requests that are being answered."),
    "sheds": ("lockgate_shed_total", "What a full queue turned away, by queue."),
    "unjudged": ("lockgate_unjudged_total", "Requests that went on although the guard failed (serve.fail_open)."),
    "calls": ("lockgate_upstream_calls_total", "Calls to upstreams by how they ended."),
    "call_duration": ("lockgate_upstream_duration_seconds", "From a call to an upstream to the head of its answer."),
    "second_tries": ("lockgate_upstream_second_tries_total", "Calls that were tried again, or refused by the budget."),
    "circuits": ("lockgate_upstream_circuit", "Workers in which an upstream's circuit is in this state."),
    "upstream_in_flight": ("lockgate_upstream_in_flight", "Calls to an upstream that have not ended."),
    "reloads": ("lockgate_reloads_total", "Times that settings were read again, by result."),
}
