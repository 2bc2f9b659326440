"""Drives one script against one target."""

from collections.abc import Callable

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.message import Answer, Fetched, Message, UnusableAnswerError, messages, typed
from lockgate.redteam.script import Consult, Script, Send
from lockgate.redteam.target import Attacker, Target
from lockgate.redteam.transcript import Conversation, Turn

MAX_STEPS = 256
"""Messages of one script, to the target and to the attacker's model together."""


async def converse(
    target: Target,
    about: Attack | Benign,
    script: Script,
    *,
    attacker: Attacker | None = None,
    reached: Callable[[tuple[Turn, ...]], bool] | None = None,
) -> Conversation:
    """Send what a script says until it ends, a guard stops it, or its goal is reached.

    A script that may start afresh goes on after a block; a plain one ends there.

    Args:
        target: Whom to talk to.
        about: The attack or the harmless conversation.
        script: Its generator.
        attacker: Answers `Consult`; without one those get an empty answer.
        reached: Whether the turns so far reached the goal; asked after every turn where it is given.
    """
    done: list[Turn] = []
    history: list[Message] = []
    answer: Answer | None = None
    for _ in range(MAX_STEPS):
        try:
            step = next(script) if answer is None else script.send(answer)
            if isinstance(step, Consult):
                answer = Answer(await attacker.write(step.history) if attacker else "")
                continue
            if done and done[-1].blocked and not step.fresh:
                break
            answer = await _say(target, about, step, history)
        except StopIteration:
            break
        except UnusableAnswerError as error:
            return Conversation(tuple(done), error=str(error))
        done.append(_turn(step, answer))
        if reached and reached(tuple(done)):
            break
    return Conversation(tuple(done))


async def _say(target: Target, about: Attack | Benign, step: Send, history: list[Message]) -> Answer:
    if step.fresh:
        history.clear()
    history += messages(step.prompt)
    answer = await target.reply(history, about)
    # Tool calls stay out of the history: nobody ran them, and an endpoint would wait for their results.
    history.append(Message("assistant", answer.text))
    return answer


def _turn(step: Send, answer: Answer) -> Turn:
    return Turn(
        prompt=typed(step.prompt),
        reply=answer.text,
        blocked=answer.filtered,
        calls=answer.calls,
        fetched=step.prompt.result if isinstance(step.prompt, Fetched) else "",
        refused=answer.refused,
        model=answer.model,
        disguise=step.disguise,
        stop=answer.stop,
    )
