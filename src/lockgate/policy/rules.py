"""Allow, ask and deny rules: one ruling over a flat mapping of typed attributes, by default a denial."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from lockgate.core.config_limits import RuleConfig
from lockgate.policy.errors import PolicyError
from lockgate.policy.rules_attributes import Vocabulary, fault
from lockgate.policy.rules_conditions import Conditions

ACTION = "action"


class Effect(StrEnum):
    """What a ruling says, from the mildest to the strictest."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """Higher is stricter."""
        return _RANKS[self]


_RANKS = {Effect.ALLOW: 0, Effect.ASK: 1, Effect.DENY: 2}


class Ruling(msgspec.Struct, frozen=True):
    """What the rules say about one request.

    Attributes:
        effect: Allow, ask or deny.
        rule: Id of the rule that decided; empty where none allows, or nothing could be judged.
        reason: Why, for the caller; names rules and attributes, never a value.
    """

    effect: Effect
    rule: str
    reason: str


class RuleBook:
    """Rules, compiled once.

    A deny counts more than an ask, an ask more than an allow, wherever they stand. Every rule for the action is
    judged: one whose condition cannot be evaluated denies, since nobody knows what it would have said.

    Args:
        rules: As configured, in any order.
        vocabulary: The attributes that rules may name; `action` is one of them, a text.
        actions: Every action that may be asked about.

    Raises:
        PolicyError: Two rules have one id, or a rule names an unknown action or attribute, or has a condition that
            is not valid.
    """

    def __init__(self, rules: Iterable[RuleConfig], vocabulary: Vocabulary, actions: Collection[str]) -> None:
        ordered = sorted(rules, key=lambda rule: rule.id)
        _check_ids(ordered)
        _check_actions(ordered, actions)
        _check_conditions(ordered, vocabulary)
        pages: dict[tuple[RuleConfig, ...], Conditions] = {}
        self._by_action: dict[str, tuple[tuple[RuleConfig, ...], Conditions]] = {}
        for action in actions:
            chosen = tuple(rule for rule in ordered if not rule.actions or action in rule.actions)
            if chosen not in pages:
                pages[chosen] = Conditions([rule.when for rule in chosen], vocabulary)
            self._by_action[action] = (chosen, pages[chosen])

    def rule(self, attributes: Mapping[str, object]) -> Ruling:
        """The ruling over `attributes`, which must have every name that a rule for the action may use."""
        page = self._by_action.get(str(attributes.get(ACTION)))
        if page is None:
            return Ruling(Effect.DENY, "", "No rule speaks of this action.")
        rules, conditions = page
        if problem := fault(conditions.vocabulary, attributes):
            return Ruling(Effect.DENY, "", problem)
        best: Ruling | None = None
        for rule, holds in zip(rules, conditions.judge(attributes), strict=True):
            ruling = _say(rule, holds=holds)
            if ruling and (best is None or ruling.effect.rank > best.effect.rank):
                best = ruling
        return best or Ruling(Effect.DENY, "", "No rule allows this.")


def strictest(first: Ruling, *others: Ruling) -> Ruling:
    """The strictest of several rulings, so that whatever is added can only strengthen; of equals the first."""
    return max((first, *others), key=lambda ruling: ruling.effect.rank)


def _say(rule: RuleConfig, *, holds: bool | None) -> Ruling | None:
    if holds is None:
        return Ruling(Effect.DENY, rule.id, f"The condition of rule {rule.id} could not be evaluated.")
    if not holds:
        return None
    effect = Effect(rule.effect)
    return Ruling(effect, rule.id, rule.reason or f"Rule {rule.id} says {effect}.")


def _check_ids(ordered: Sequence[RuleConfig]) -> None:
    for earlier, later in pairwise(ordered):
        if earlier.id == later.id:
            raise PolicyError(f"Two rules are named {later.id!r}.", remedy="Give each a name of its own.")


def _check_actions(ordered: Sequence[RuleConfig], actions: Collection[str]) -> None:
    for rule in ordered:
        for action in rule.actions:
            if action not in actions:
                known = ", ".join(sorted(actions))
                raise PolicyError(f"Rule {rule.id!r} names the unknown action {action!r}.", remedy=f"Use {known}.")


def _check_conditions(ordered: Sequence[RuleConfig], vocabulary: Vocabulary) -> None:
    for rule in ordered:
        try:
            Conditions([rule.when], vocabulary)
        except PolicyError as error:
            text = error.message.removeprefix("condition 1 ")
            raise PolicyError(f"The condition of rule {rule.id!r} {text}", remedy=error.remedy) from error
