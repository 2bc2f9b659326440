"""LG-SUPPLY-004."""

import unicodedata
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Origin, Severity
from lockgate.detect.injection import find_injection, fuse
from lockgate.detect.steering import find_steering
from lockgate.supply.chat_template import TemplateFacts
from lockgate.supply.subject import ModelFile

_INTROSPECTION = frozenset(
    """
    mro subclasses gi_frame gi_code gi_yieldfrom cr_frame cr_code ag_frame ag_code f_globals f_locals
    f_builtins f_back f_code func_globals func_code tb_frame tb_next im_class im_func co_code format_map
    import_module popen builtins (computed)
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_FILTERS = frozenset(
    """
    abs batch capitalize center count d default dictsort e escape first float forceescape groupby indent int
    items join last length list lower map max min reject rejectattr replace reverse round safe select
    selectattr slice sort string striptags sum title tojson trim truncate unique upper wordcount
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_FUNCTIONS = frozenset({"raise_exception", "strftime_now", "namespace", "range", "dict"})
_METHODS = frozenset(
    """
    append capitalize count cycle endswith extend find get index insert isdigit items join keys lower lstrip
    pop removeprefix removesuffix replace rfind rsplit rstrip setdefault split splitlines startswith strftime
    strip title update upper values
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_MARKUP = frozenset({"injection.template", "injection.obfuscated"})
_ONE_TEXT = 0.7
_ALL_TEXTS = 0.85
_MIN_TRIGGER_WORDS = 4


class UnsafeGguf(Check[ModelFile], frozen=True):
    """Finds a GGUF file that is malformed, or whose chat template could run code or steers the model unseen.

    Why it matters:
        Loaders written in C trust the counts and offsets in a GGUF header. Its chat template is a program that the
        server runs on every conversation: it can reach into the interpreter, or add instructions nobody sees.

    Fails on:
        A tensor that reaches beyond the file, the template `{{ ''.__class__.__mro__ }}`, and a template that adds
        "ignore all previous instructions" when a message contains the word "refund".

    Passes on:
        A llama.cpp conversion of a public model with that model's own chat template.

    Limits:
        Reads templates without rendering them, wherever they lie: in GGUF, in `tokenizer_config.json`, in a file of
        their own. An instruction that is worded like ordinary help is not recognised, so pin the file and read its
        template once. Tensor values are not judged.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-004",
        title="Malformed GGUF file or unsafe chat template",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM01:2025", "LLM03:2025", "ASI04:2026", "AML.T0010.003", "AML.T0051.001"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report problems of the header, then those of each template."""
        uri = subject.ref.uri
        for facts in subject.facts.ggufs:
            for problem in facts.problems:
                place = "/".join(part for part in (facts.member, problem.place) if part)
                yield self.finding(f"{uri}: {problem.message}", at=Location(uri, f"{place}#{problem.code}"))
        for template in subject.facts.templates:
            yield from self._template(uri, template)

    def _template(self, uri: str, facts: TemplateFacts) -> Iterator[Finding]:
        place = "/".join(part for part in (facts.member, facts.key) if part)
        if facts.problem:
            message = f"{uri}: the chat template {facts.key} cannot be judged: {facts.problem}."
            yield self.finding(message, at=Location(uri, f"{place}#unparsed"))
        for code, name in _reaches(facts):
            message = f"{uri}: the chat template {facts.key} {_REACHES[code]}: {name}."
            yield self.finding(message, at=Location(uri, f"{place}#{code}.{name}"), severity=Severity.CRITICAL)
        for code, message in _says(facts):
            yield self.finding(
                f"{uri}: the chat template {facts.key} {message}.",
                at=Location(uri, f"{place}#{code}"),
                confidence=Confidence.MEDIUM,
            )


_REACHES = {
    "attribute": "reads an attribute that leads into the interpreter",
    "filter": "uses a filter that chat templates have no use for",
    "function": "calls a function that chat templates do not have",
    "method": "calls a method that chat templates have no use for",
    "statement": "loads other code with a statement",
    "cost": "computes what could take any time or memory",
}


def _reaches(facts: TemplateFacts) -> Iterator[tuple[str, str]]:
    yield from (("attribute", name) for name in facts.attributes if _is_internal(name))
    yield from (("filter", name) for name in facts.filters if name not in _FILTERS)
    yield from (("function", name) for name in facts.calls if name not in _FUNCTIONS)
    yield from (("method", name) for name in facts.methods if name not in _METHODS and not _is_internal(name))
    yield from (("statement", name) for name in facts.statements)
    yield from (("cost", name) for name in facts.costs)


def _is_internal(name: str) -> bool:
    return name in _INTROSPECTION or (name.startswith("_") and name != "_")


def _says(facts: TemplateFacts) -> Iterator[tuple[str, str]]:
    if any(_score(text) >= _ONE_TEXT for text in facts.texts) or _score("".join(facts.texts)) >= _ALL_TEXTS:
        yield "instruction", "adds text that reads as an instruction against the user or the operator"
    elif _steers(facts.texts):
        yield (
            "steering",
            "adds an order that no template needs: to keep silent, to advertise, to send something",
        )
    if any(unicodedata.category(sign) == "Cf" for text in facts.texts for sign in text):
        yield "hidden-text", "adds characters that no reader sees"
    if any(len(text.split()) >= _MIN_TRIGGER_WORDS for text in facts.triggers):
        yield "trigger", "adds text only when a message contains a certain word"


def _steers(texts: tuple[str, ...]) -> bool:
    return any(find_steering(text) for text in texts) or bool(find_steering("".join(texts)))


def _score(text: str) -> float:
    """How much a text reads as an injection, without the markup that every chat template has."""
    return fuse(span for span in find_injection(text, Origin.USER) if span.label not in _MARKUP)
