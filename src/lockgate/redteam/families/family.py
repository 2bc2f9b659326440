"""What a family of attacks is."""

from typing import Literal

import msgspec

from lockgate.redteam.corpus import Attack
from lockgate.redteam.goal import Goal, Leak
from lockgate.redteam.message import Fetched, Prompt

HOLE = "{payload}"


class Seed(msgspec.Struct, frozen=True, kw_only=True):
    """One attack before it is disguised.

    Attributes:
        payload: The order that is hidden, disguised or dressed up.
        carrier: What stands around it, with `{payload}` in its place.
        goal: What counts as success.
        before: Messages that come first.
        fetched: What the user asks and which tool the application uses, where the carrier is that tool's result.
        strategy: Who decides what comes next; see `lockgate.redteam.strategies`.
        control: Success would say nothing about the target; see `Attack.control`.
    """

    payload: str
    carrier: str = HOLE
    goal: Goal = Leak()
    before: tuple[str, ...] = ()
    fetched: tuple[str, str] | None = None
    strategy: str = ""
    control: bool = False

    def turns(self, payload: str) -> tuple[Prompt, ...]:
        """The messages, with a payload that may be disguised."""
        said = self.carrier.replace(HOLE, payload)
        last = Fetched(self.fetched[0], self.fetched[1], said) if self.fetched else said
        return (*self.before, last)


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A probe: attacks of one kind, and the manual page that goes with them.

    Attributes:
        id: Its name in reports and on the command line.
        title: What it tries, as a noun phrase.
        why: Why it matters.
        how: How it attacks.
        succeeds: What counts as success.
        limits: What it does not show.
        helps: What an operator can do where it succeeds.
        settings: The lines of `lockgate.yaml` that stand against it, as an example.
        maps: OWASP and ATLAS ids.
        seeds: The attacks.
        tools: Tools that the target is offered.
        target: Who is attacked where a project is the target: the `application`, or the scripted `obedient` target in
            its place, for attacks that small models cannot carry out.
        disguised: Whether a disguise leaves the attack what it is.
    """

    id: str
    title: str
    why: str
    how: str
    succeeds: str
    limits: str
    helps: str
    settings: str
    maps: tuple[str, ...]
    seeds: tuple[Seed, ...]
    tools: tuple[str, ...] = ()
    target: Literal["application", "obedient"] = "application"
    disguised: bool = True

    def attack(self, number: int, payload: str, converter: str) -> Attack:
        """The attack of one seed.

        Args:
            number: The seed's place, from 0.
            payload: Its payload, disguised or not.
            converter: What disguised it; empty for none.
        """
        seed = self.seeds[number]
        return Attack(
            id=f"{self.id}-s{number + 1:02d}{f'+{converter}' if converter else ''}",
            family=self.id,
            turns=seed.turns(payload),
            goal=seed.goal,
            maps=self.maps,
            # What comes from somebody's training data is in no report.
            half="seen" if self.disguised else "unseen",
            converter=converter,
            strategy=seed.strategy,
            tools=self.tools,
            target=self.target,
            payload=payload,
            control=seed.control,
        )


def crossed(payloads: tuple[str, ...], carriers: tuple[str, ...], *, goal: Goal | None = None) -> tuple[Seed, ...]:
    """Payloads and carriers, paired so that each of the longer list is used once and each of the shorter in turn."""
    length = max(len(payloads), len(carriers))
    return tuple(
        Seed(payload=payloads[place % len(payloads)], carrier=carriers[place % len(carriers)], goal=goal or Leak())
        for place in range(length)
    )
