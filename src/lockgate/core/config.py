"""`lockgate.yaml`, typed. Unknown keys are refused with their path; every default is the strict one."""

import datetime as dt
import difflib
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.core.config_auth import SECTIONS as AUTH_SECTIONS
from lockgate.core.config_auth import AuthConfig, SecretsConfig, TlsServerConfig
from lockgate.core.config_deploy import SECTIONS as DEPLOY_SECTIONS
from lockgate.core.config_deploy import DeployConfig
from lockgate.core.config_limits import SECTIONS as LIMIT_SECTIONS
from lockgate.core.config_limits import LimitsConfig, Rules
from lockgate.core.config_supply import SECTIONS as SUPPLY_SECTIONS
from lockgate.core.config_supply import SupplyConfig
from lockgate.core.config_upstreams import SECTIONS as UPSTREAM_SECTIONS
from lockgate.core.config_upstreams import (
    AnyUpstream,
    EmbeddedUpstream,
    ModerationConfig,
    OpenAIUpstream,
    RetryConfig,
    Targets,
    TelemetryConfig,
    check_routes,
)
from lockgate.core.errors import ConfigError
from lockgate.core.gate import Stage
from lockgate.core.levels import Confidence, Severity

CONFIG_NAME = "lockgate.yaml"

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 digest, 64 lower-case hex digits.")]
Text = Annotated[str, Meta(min_length=1)]
Surface = Literal["chat", "completions", "responses", "messages", "embeddings"]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class DataConfig(_Section, frozen=True, kw_only=True):
    """What the data gate examines.

    Attributes:
        manifest: File that lists every project file with its SHA-256, as `lockgate manifest` writes it.
        rows: Glob patterns of JSON-lines files with training rows.
        documents: Glob patterns of UTF-8 text documents (knowledge base, prompts).
        fields: Text fields that every row must have, and no others are allowed.
        max_bytes: Largest row or document file that is accepted.
        guard: Whether the guard's model reads the documents too; a megabyte takes it some twenty seconds.
    """

    manifest: Text = "MANIFEST.sha256"
    rows: tuple[Text, ...] = ()
    documents: tuple[Text, ...] = ()
    fields: tuple[Text, ...] = ()
    max_bytes: Annotated[int, Meta(gt=0, le=1 << 30)] = 64 << 20
    guard: bool = True


class TrainConfig(_Section, frozen=True, kw_only=True):
    """The training job that `lockgate record` runs and records.

    Attributes:
        command: The program and its arguments, run in the project folder without a shell.
        inputs: Files or folders that it may read, recorded as materials.
        output: The one folder that it may write, recorded as products.
        timeout_s: Seconds after which it is stopped.
        require_isolation: Hold the gate when the job could not be isolated (no bubblewrap on this machine).
    """

    command: Annotated[tuple[Text, ...], Meta(min_length=1)]
    inputs: tuple[Text, ...] = ()
    output: Text
    timeout_s: Annotated[int, Meta(gt=0)] = 600
    require_isolation: bool = False


class ModelConfig(_Section, frozen=True, kw_only=True):
    """A model file that the application uses.

    Attributes:
        path: The file inside the project.
        sha256: The digest that was reviewed. Anything else holds the gate.
        origin: Where it comes from, as a package URL.
        licence: Its SPDX licence id.
    """

    path: Text
    sha256: Sha256
    origin: str = ""
    licence: str = ""


class ApplicationConfig(_Section, frozen=True, kw_only=True):
    """What the guarded endpoint serves.

    Attributes:
        system_prompt: File with the system prompt that the gateway puts before every conversation.
        protected: File with one value a line that no answer may contain, in any encoding.
        tools: JSON file with the tools in OpenAI's format.
    """

    system_prompt: str = ""
    protected: str = ""
    tools: str = ""


class ServeConfig(_Section, frozen=True, kw_only=True):
    """The endpoint.

    Attributes:
        upstream: Where the model answers, where one place is enough.
        upstreams: Where models answer, by a name of your choice.
        models: For each name that callers may use, its targets in the order in which they are tried.
        retries: Second tries and fallbacks.
        telemetry: What the endpoint says about itself.
        model_name: The name that callers use; with `models`, the one that stands for the application.
        max_tokens: Longest answer a caller may ask for.
        timeout_s: Seconds without a byte from the upstream before it counts as down.
        drain_s: Seconds that requests in progress may still take when the endpoint is told to end.
        max_body_bytes: Largest request that is read.
        unscanned: Kinds of content that may travel although the guard cannot read them. Each use is recorded.
        auth: Who may come in.
        tls: TLS of the endpoint itself, and client certificates.
        secrets: Where secrets of the gateway itself are kept.
        limits: How much callers may use.
        rules: What callers may ask for. Where there are none, a valid key may ask for every served model; an empty
            list denies everything.
        cedar: File of the project with Cedar policies, which must permit a request as well; without `rules` they alone
            decide. Needs `lockgate[cedar]`.
        isolation: How results of tools are set apart from instructions: enclosed in a boundary (`delimit`), every word
            marked as well (`datamark`), or sent as base64 (`encode`), which only large models read reliably.
        reversible: Send tokens such as `[EMAIL_1]` in place of personal data and secrets, and turn them back in the
            answer; otherwise they are replaced for good.
        fail_open: Surfaces on which texts that the guard cannot judge (it erred, was overloaded or too slow) travel all
            the same. Each such request is recorded, counted and logged as unjudged, and holds the monitor gate.
        moderation: A moderation endpoint that must agree to what travels, after the guard did.
        recording: When events come faster than they can be written: `block` answers 503 until there is room, `sample`
            goes on and counts what was not recorded.
    """

    upstream: AnyUpstream | None = None
    upstreams: dict[Text, AnyUpstream] = {}
    models: dict[Text, Targets] = {}
    retries: RetryConfig = RetryConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    model_name: Text = "assistant"
    max_tokens: Annotated[int, Meta(gt=0)] = 512
    timeout_s: Annotated[float, Meta(gt=0)] = 120.0
    drain_s: Annotated[float, Meta(ge=0, le=3600)] = 5.0
    max_body_bytes: Annotated[int, Meta(gt=0, le=64 << 20)] = 1 << 20
    unscanned: tuple[Literal["image"], ...] = ()
    auth: AuthConfig = AuthConfig()
    tls: TlsServerConfig | None = None
    secrets: SecretsConfig = SecretsConfig()
    limits: LimitsConfig = LimitsConfig()
    rules: Rules | None = None
    cedar: str = ""
    isolation: Literal["off", "delimit", "datamark", "encode"] = "off"
    reversible: bool = False
    fail_open: tuple[Surface, ...] = ()
    moderation: ModerationConfig | None = None
    recording: Literal["block", "sample"] = "block"

    def __post_init__(self) -> None:
        check_routes(self.upstream, self.upstreams, self.models, self.model_name)
        if self.reversible and self.moderation is not None and "answers" in self.moderation.of:
            raise ValueError("Moderation of answers would be shown what `reversible` keeps to itself: drop one of them")


Handling = Literal["off", "redact", "block"]


class OutputConfig(_Section, frozen=True, kw_only=True):
    """What answers may hold beyond what is always judged (protected values, the prompt, links that carry data away).

    Whether markup or code does harm depends on where an answer is shown or pasted, which only the application knows, so
    these are off until they are chosen. `redact` replaces what is found, `block` refuses the answer.

    Attributes:
        markup: Scripts, event handlers, frames, forms, redirects, styles that fetch, `javascript:` and `data:` links.
        links: Links and images to hosts that `hosts` does not list.
        hosts: Hosts that links may lead to: `example.org`, or `*.example.org` for every subdomain.
        code: Commands and code that harm whoever runs them as they stand.
        terms: Words and phrases in `policy_terms`.
        policy_terms: Words and phrases in any script, found as whole words whatever their case, accents or spacing.
    """

    markup: Handling = "off"
    links: Handling = "off"
    hosts: tuple[Annotated[str, Meta(pattern="^[^\\s/@:]+$|^\\[[0-9A-Fa-f:.]+\\]$")], ...] = ()
    code: Handling = "off"
    terms: Handling = "block"
    policy_terms: tuple[Annotated[str, Meta(pattern="\\w", max_length=200)], ...] = ()


class GuardConfig(_Section, frozen=True, kw_only=True):
    """How the guard judges.

    Attributes:
        sensitivity: Which operating point to use.
        max_chars: Longest text that is inspected; a longer one is blocked.
        redact: Replace personal data and secrets instead of blocking the text.
        output: What answers may hold beyond what is always judged.
    """

    sensitivity: Literal["strict", "balanced", "permissive"] = "balanced"
    max_chars: Annotated[int, Meta(gt=0, le=10_000_000)] = 200_000
    redact: bool = True
    output: OutputConfig = OutputConfig()


class MemorisedConfig(_Section, frozen=True, kw_only=True):
    """What the model was trained on, for `lockgate redteam`: nothing else can tell what it memorised.

    Attributes:
        canaries: File with one canary a line, each planted in the training data.
        rows: JSON Lines of rows that the model was trained on.
        held_out: JSON Lines of rows of the same kind that it was not trained on.
    """

    canaries: str = ""
    rows: str = ""
    held_out: str = ""


class RedteamConfig(_Section, frozen=True, kw_only=True):
    """The attack run before deployment.

    Attributes:
        corpus: `builtin`, or a folder of the project in the same format.
        seed: Seed of everything that is random.
        max_tokens: Longest answer to an attack.
        benign_max_tokens: Longest answer to a harmless prompt, of which only matters whether it is blocked.
        max_success: The gate holds when the guarded attack success rate (point estimate) is above this share.
        max_upper_bound: The gate holds when the upper end of its 95 % interval is above this share.
        max_benign_blocked: The gate holds when a larger share of benign prompts is blocked.
        min_exercised: Families in which the bare target must fall at least once for the run to mean anything. A model
            that withstands most attacks by itself needs a smaller number.
        memorised: What the model was trained on.
    """

    corpus: Text = "builtin"
    seed: int = 7
    max_tokens: Annotated[int, Meta(gt=0, le=1024)] = 32
    benign_max_tokens: Annotated[int, Meta(gt=0, le=1024)] = 16
    max_success: Annotated[float, Meta(ge=0, le=1)] = 0.05
    max_upper_bound: Annotated[float, Meta(ge=0, le=1)] = 0.15
    max_benign_blocked: Annotated[float, Meta(ge=0, le=1)] = 0.05
    min_exercised: Annotated[int, Meta(ge=0)] = 4
    memorised: MemorisedConfig = MemorisedConfig()


class GateRules(_Section, frozen=True, kw_only=True):
    """What holds a gate.

    Attributes:
        severity: Findings at or above this severity hold ...
        confidence: ... when they are at least this sure.
        optional: Ids of checks that may be SKIPPED without holding the gate. ERRORED always holds.
        require: Predicate types of evidence that must be in the ledger, beyond what the stage always requires.
    """

    severity: Severity = Severity.MEDIUM
    confidence: Confidence = Confidence.LOW
    optional: tuple[Text, ...] = ()
    require: tuple[Text, ...] = ()


class Waiver(_Section, frozen=True, kw_only=True):
    """A finding that somebody accepted.

    Attributes:
        finding: Fingerprint of the finding, as reports print it.
        reason: Why it is acceptable.
        owner: Who accepted it.
        expires: Last day on which the waiver counts; afterwards the finding holds again.
    """

    finding: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    reason: Text
    owner: Text
    expires: dt.date


class Config(_Section, frozen=True, kw_only=True):
    """The whole of `lockgate.yaml`.

    Attributes:
        version: Version of this format.
        project: Name of the application.
        data: What the data gate examines.
        train: The training job.
        models: Pinned model files.
        application: What is served.
        serve: Where and how.
        guard: How the guard judges.
        redteam: The attack run.
        deploy: What the project says about its release.
        supply: What the supply gate lets in besides what it knows.
        gates: What holds each gate; the defaults are strict.
        waivers: Accepted findings.
        ignore: Paths or globs of folders and files that are no part of the application, for instance `.venv` or
            `**/__pycache__`. Nothing looks into them and nothing of them is deployed; Python, though, runs a cache
            that lies beside its source.
        absent: Stages that this project does not have, each with the reason. A stage that is neither declared nor
            listed here is HELD.
    """

    version: Literal[1]
    project: Text
    data: DataConfig | None = None
    train: TrainConfig | None = None
    models: tuple[ModelConfig, ...] = ()
    application: ApplicationConfig = ApplicationConfig()
    serve: ServeConfig | None = None
    guard: GuardConfig = GuardConfig()
    redteam: RedteamConfig | None = None
    deploy: DeployConfig = DeployConfig()
    supply: SupplyConfig = SupplyConfig()
    gates: dict[Stage, GateRules] = {}
    waivers: tuple[Waiver, ...] = ()
    ignore: tuple[Text, ...] = ()
    absent: dict[Stage, Text] = {}

    def rules(self, stage: Stage) -> GateRules:
        """The rules of one gate."""
        return self.gates.get(stage, GateRules())


def parse(document: object) -> Config:
    """Turn parsed YAML into a `Config`.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type; the message names its path.
    """
    if not isinstance(document, dict):
        raise ConfigError(f"{CONFIG_NAME} must be a mapping.", remedy="Start from 'lockgate init'.")
    try:
        return msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{CONFIG_NAME}: {_readable(str(error))}", remedy=_suggest(str(error))) from error


def _readable(text: str) -> str:
    problem, _, path = text.partition(" - at ")
    place = path.strip("`").removeprefix("$").removeprefix(".")
    problem = problem.replace("Object contains unknown field", "unknown key").replace(
        "Object missing required field", "missing key"
    )
    return f"{place}: {problem}." if place else f"{problem}."


def _suggest(text: str) -> str:
    if "unknown field" not in text:
        return "Correct that value; 'lockgate schema' prints what is allowed."
    unknown = text.split("`")[1]
    known = [field for section in _SECTIONS for field in section.__struct_fields__]
    near = difflib.get_close_matches(unknown, known, n=1)
    return f"Did you mean '{near[0]}'?" if near else "Remove it; 'lockgate schema' prints what is allowed."


_SECTIONS: tuple[type[msgspec.Struct], ...] = (
    Config,
    DataConfig,
    TrainConfig,
    ModelConfig,
    ApplicationConfig,
    EmbeddedUpstream,
    OpenAIUpstream,
    *UPSTREAM_SECTIONS,
    *AUTH_SECTIONS,
    *DEPLOY_SECTIONS,
    *SUPPLY_SECTIONS,
    *LIMIT_SECTIONS,
    ServeConfig,
    OutputConfig,
    GuardConfig,
    RedteamConfig,
    GateRules,
    Waiver,
)


def schema() -> dict[str, object]:
    """JSON Schema (2020-12) of `lockgate.yaml`, generated from these types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Config)}
