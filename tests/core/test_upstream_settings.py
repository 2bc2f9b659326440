import pytest

from lockgate.core import ConfigError, strict_yaml
from lockgate.core.config import Config, parse
from lockgate.core.config_upstreams import AnthropicUpstream

ONE = "upstream: {kind: openai, base_url: 'http://127.0.0.1:1/v1', model: m}"
TWO = "upstreams: {a: {kind: anthropic, model: claude}, b: {kind: azure, base_url: 'https://b.example.org', model: d}}"


def serve(text: str) -> Config:
    return parse(strict_yaml.load(f"version: 1\nproject: p\nserve: {{{text}}}".encode(), name="settings.yaml"))


def test_one_upstream_and_several_with_aliases_are_accepted() -> None:
    serve(ONE)
    config = serve(f"{TWO}, models: {{assistant: [{{upstream: a}}, {{upstream: b}}]}}")
    assert config.serve
    upstream = config.serve.upstreams["a"]
    assert isinstance(upstream, AnthropicUpstream)
    assert upstream.base_url == "https://api.anthropic.com/v1"
    assert [target.upstream for target in config.serve.models["assistant"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{ONE}, {TWO}", "Use either"),
        (f"{ONE}, models: {{x: [{{upstream: a}}]}}", "Use either"),
        (TWO, "Name an `upstream`"),
        ("max_tokens: 5", "Name an `upstream`"),
        (f"{TWO}, models: {{small: [{{upstream: a}}]}}", "`model_name` is an alias"),
        (f"{TWO}, models: {{assistant: [{{upstream: c}}]}}", "the upstream 'c', which is not declared"),
        (f"{TWO}, models: {{assistant: []}}", "models"),
        ("upstream: {kind: openai, base_url: 'ftp://x', model: m}", "upstream.base_url"),
        ("upstream: {kind: bedrock, model: m}", "upstream.kind"),
        (f"{ONE}, retries: {{attempts: 99}}", "retries.attempts"),
        (f"{ONE}, telemetry: {{access_log: loud}}", "telemetry.access_log"),
        (f"{ONE}, retries: {{atempts: 1}}", "Did you mean 'attempts'?"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        serve(text)
    assert expected in str(caught.value)
