"""Conditions of rules in the Common Expression Language (https://github.com/google/cel-spec), which always ends.

They are type-checked against a vocabulary when they are loaded: a misspelt attribute or a comparison of text with a
number is an error then, and not a rule that silently never applies. The library bounds recursion and iterations.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from lockgate.policy.errors import PolicyError
from lockgate.policy.rules_attributes import Kind, Vocabulary

if TYPE_CHECKING:
    from cel_expr_python.cel import Env, Expression

# An evaluation costs some 10 µs and each condition in it less than 1 µs, so conditions are judged in groups. A group
# shares one budget of iterations, so it stays small.
_GROUP = 16
_TYPES: dict[Kind, str] = {"text": "string", "number": "int", "flag": "bool", "texts": "list<string>"}


class Conditions:
    """Conditions that are judged together.

    Attributes:
        vocabulary: The attributes that at least one of them names.

    Args:
        texts: One expression each; empty for one that always holds.
        vocabulary: The attributes that they may name.

    Raises:
        PolicyError: A condition is no expression, names an unknown attribute, or gives something else than true or
            false; the message has its position in `texts` as `condition N`, counted from 1.
    """

    def __init__(self, texts: Sequence[str], vocabulary: Vocabulary) -> None:
        self._always = not any(texts)
        self._count = len(texts)
        # One too many is only checked in vain; one too few is an error when it is judged, which denies.
        mentioned = "".join("".join(texts).split())
        self.vocabulary: Vocabulary = {name: kind for name, kind in vocabulary.items() if name in mentioned}
        self._singles: list[Expression] = []
        self._groups: list[tuple[int, int, Expression]] = []
        if self._always:
            return
        environment = _environment(vocabulary)
        self._singles = [_compiled(environment, text, number) for number, text in enumerate(texts, start=1)]
        for start in range(0, len(texts), _GROUP):
            group = texts[start : start + _GROUP]
            # Each was compiled on its own, so none can close the brackets around it; the line break ends a comment.
            whole = environment.compile("[" + ", ".join(f"(\n{text or 'true'}\n)" for text in group) + "]")
            self._groups.append((start, start + len(group), whole))

    def judge(self, attributes: Mapping[str, object]) -> list[bool | None]:
        """Whether each condition holds; None for one that cannot be evaluated."""
        if self._always:
            return [True] * self._count
        data = {name: attributes[name] for name in self.vocabulary}
        found: list[bool | None] = []
        for start, end, whole in self._groups:
            together = _evaluate(whole, data)
            if isinstance(together, list):
                found.extend(cast("list[bool]", together))
            else:
                found.extend(_truth(_evaluate(single, data)) for single in self._singles[start:end])
        return found


def _environment(vocabulary: Vocabulary) -> "Env":
    from cel_expr_python import cel  # noqa: PLC0415 - 14 MB that only settings with conditions need

    return cel.NewEnv(variables={name: cel.Type(_TYPES[kind]) for name, kind in vocabulary.items()})


def _compiled(environment: "Env", text: str, number: int) -> "Expression":
    try:
        expression = environment.compile(text or "true")
    except RuntimeError as error:
        problem = str(error).splitlines()[0].removeprefix("INVALID_ARGUMENT: ERROR: <input>:")
        raise PolicyError(
            f"condition {number} cannot be understood: {problem}", remedy="Correct its 'when'."
        ) from error
    if expression.return_type().name() != "BOOL":
        raise PolicyError(f"condition {number} is neither true nor false.", remedy="Compare it with something.")
    return expression


def _evaluate(expression: "Expression", data: Mapping[str, object]) -> object:
    try:
        return expression.eval(data=data).plain_value()
    except Exception:  # noqa: BLE001 - whatever goes wrong inside the library, the caller of this denies
        return None


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
