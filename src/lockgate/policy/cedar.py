"""Cedar policies (https://www.cedarpolicy.com) over the same attributes that conditions of rules see.

They are checked against a schema when they are loaded: a misspelt attribute, an unknown action or a comparison of text
with a number is an error then, and not a policy that silently never applies.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

import msgspec

from lockgate.policy.cedar_text import Statement, statements
from lockgate.policy.errors import PolicyError
from lockgate.policy.rules import ACTION, Effect, Ruling
from lockgate.policy.rules_attributes import Kind, Vocabulary, fault
from lockgate.policy.rules_request import ACTIONS, FOUND_LATER, REQUEST_VOCABULARY

if TYPE_CHECKING:
    import cedarpy

_TYPES: dict[Kind, str] = {"text": "String", "number": "Long", "flag": "Bool", "texts": "Set<String>"}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NUMBER = re.compile(r"policy(\d+)")
_MAX_REASON = 300
_CALLER = "caller."


class _Policy(msgspec.Struct, frozen=True):
    """What a refusal says of a policy."""

    name: str
    reason: str


class CedarBook:
    """Cedar policies, parsed once.

    A request passes only where a `permit` applies, no `forbid` does and every policy could be evaluated.

    Args:
        policies: Statements of one file, in its order.

    Raises:
        PolicyError: cedarpy is not installed, or a policy is not valid; the message says in which line it begins.
    """

    def __init__(self, policies: Sequence[Statement]) -> None:
        vocabulary = REQUEST_VOCABULARY
        self._library = _library()
        text = "\n".join(policy.text for policy in policies)
        later = {name for name in FOUND_LATER if not _may_name(text, name)}
        self._vocabulary: Vocabulary = {name: kind for name, kind in vocabulary.items() if name not in later}
        schema = _schema(vocabulary, ACTIONS)
        self._policies = [_checked(self._library, policy, schema) for policy in policies]
        _check_names(self._policies)
        self._set: cedarpy.PolicySet = self._library.PolicySet.from_str(text)
        if len(self._set) != len(policies):
            raise PolicyError("The Cedar policies cannot be told apart.", remedy="Write one policy a statement.")

    def rule(self, attributes: Mapping[str, object]) -> Ruling:
        """The ruling over `attributes`, as `request_attributes` gives them; allow or deny."""
        if problem := fault(self._vocabulary, attributes):
            return Ruling(Effect.DENY, "", problem)
        request, entities = _question({name: attributes[name] for name in self._vocabulary})
        try:
            result: cedarpy.AuthzResult = self._library.is_authorized(request, self._set, entities)
            allowed, errors, reasons = result.allowed, result.diagnostics.errors, result.diagnostics.reasons
        except Exception:  # noqa: BLE001 - whatever goes wrong inside the library denies
            return Ruling(Effect.DENY, "", "The Cedar policies could not be evaluated.")
        if errors:
            policy = self._named(errors)
            name = policy.name if policy else ""
            what = f"The Cedar policy {name}" if name else "The Cedar policies"
            return Ruling(Effect.DENY, name, f"{what} could not be evaluated.")
        policy = self._named(reasons)
        if allowed is True and policy:
            return Ruling(Effect.ALLOW, policy.name, policy.reason or f"Cedar policy {policy.name} permits this.")
        if policy:
            return Ruling(Effect.DENY, policy.name, policy.reason or f"Cedar policy {policy.name} forbids this.")
        return Ruling(Effect.DENY, "", "No Cedar policy permits this.")

    def _named(self, texts: Sequence[str]) -> _Policy | None:
        """The first policy in the order of the file that the library's words name."""
        numbers = [int(number) for text in texts for number in _NUMBER.findall(text)[:1]]
        known = [number for number in numbers if number < len(self._policies)]
        return self._policies[min(known)] if known else None


def read_cedar(text: str) -> tuple[Statement, ...]:
    """The policies of a file.

    Raises:
        PolicyError: The file has none, or one that is too large to be read safely.
    """
    found = statements(text)
    if not found:
        raise PolicyError("The file of Cedar policies has none.", remedy="Write a permit, or drop 'serve.cedar'.")
    return found


def waits(policy: Statement) -> bool:
    """Whether a policy may speak of what the guard finds, so that it cannot be judged before."""
    return any(_may_name(policy.text, name) for name in FOUND_LATER)


def _may_name(text: str, name: str) -> bool:
    return name in text or "\\" in text  # an escape can spell any name


def _library() -> ModuleType:
    try:
        import cedarpy  # noqa: PLC0415 - an extra, and 10 MB that only settings with Cedar policies need
    except ImportError as error:
        message = "Cedar policies need cedarpy, which is not installed."
        raise PolicyError(message, remedy="Run: pip install 'lockgate[cedar]'") from error
    return cedarpy


def _checked(library: ModuleType, policy: Statement, schema: str) -> _Policy:
    where = f"The Cedar policy in line {policy.line}"
    try:
        parsed = json.loads(library.policies_to_json_str(policy.text))
        result: cedarpy.ValidationResult = library.validate_policies(policy.text, schema)
    except RecursionError as error:
        raise PolicyError(f"{where} is nested too deeply.", remedy="Split it.") from error
    except ValueError as error:
        raise PolicyError(f"{where} cannot be understood: {error}.", remedy="Correct it.") from error
    found = cast("dict[str, dict[str, dict[str, str | None]]]", parsed["staticPolicies"])
    if parsed["templates"] or len(found) != 1:
        # Nothing fills the slots of a template, so that one that forbids would forbid nothing.
        raise PolicyError(f"{where} is a template.", remedy="Write a policy without ?principal and ?resource.")
    if not result.validation_passed:
        problem = "; ".join(error.error.partition(", ")[2] or error.error for error in result.errors)
        raise PolicyError(f"{where} is not valid: {problem}.", remedy="docs/rules.md has every attribute and action.")
    annotations = next(iter(found.values())).get("annotations") or {}
    name, reason = annotations.get("id"), annotations.get("reason") or ""
    if name is not None and not _ID.fullmatch(name):
        raise PolicyError(f"{where} has an @id that cannot be used.", remedy="Use letters, digits, '.', '_' and '-'.")
    if len(reason) > _MAX_REASON:
        raise PolicyError(f"{where} has a @reason of more than {_MAX_REASON} characters.", remedy="Shorten it.")
    return _Policy(name or f"line-{policy.line}", reason)


def _check_names(policies: Sequence[_Policy]) -> None:
    seen: set[str] = set()
    for policy in policies:
        if policy.name in seen and not policy.name.startswith("line-"):  # one line may hold several without an @id
            raise PolicyError(f"Two Cedar policies are named {policy.name!r}.", remedy="Give each an @id of its own.")
        seen.add(policy.name)


def _question(attributes: Mapping[str, object]) -> tuple[dict[str, object], list[dict[str, object]]]:
    principal: object = {"type": "Lockgate::Caller", "id": attributes["caller.key"]}
    request: dict[str, object] = {
        "principal": principal,
        "action": {"type": "Lockgate::Action", "id": attributes[ACTION]},
        "resource": {"type": "Lockgate::Model", "id": attributes["model"]},
        "context": _nested(attributes),
    }
    return request, [{"uid": principal, "attrs": _of_caller(attributes), "parents": []}]


def _of_caller(attributes: Mapping[str, object]) -> dict[str, object]:
    return {name.removeprefix(_CALLER): value for name, value in attributes.items() if name.startswith(_CALLER)}


def _nested(attributes: Mapping[str, object]) -> dict[str, object]:
    """`size.bytes` as the field `bytes` of the record `size`."""
    whole: dict[str, object] = {}
    for name, value in attributes.items():
        first, _, rest = name.partition(".")
        if rest:
            cast("dict[str, object]", whole.setdefault(first, {}))[rest] = value
        else:
            whole[first] = value
    return whole


def _schema(vocabulary: Vocabulary, actions: Collection[str]) -> str:
    types = {name: _TYPES[kind] for name, kind in vocabulary.items()}
    names = ", ".join(json.dumps(action) for action in sorted(actions))
    return (
        f"namespace Lockgate {{ entity Caller {_record(_of_caller(types))}; entity Model; action {names} appliesTo "
        f"{{ principal: Caller, resource: Model, context: {_record(_nested(types))} }}; }}"
    )


def _record(fields: Mapping[str, object]) -> str:
    def of(value: object) -> str:
        return _record(cast("dict[str, object]", value)) if isinstance(value, dict) else str(value)

    return "{ " + ", ".join(f"{name}: {of(value)}" for name, value in fields.items()) + " }"
