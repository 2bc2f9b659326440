import msgspec

from lockgate.core import Cause, Decision, Event, EventKind, GateDecision, Hold, LockgateError, Stage


def test_reasons_are_the_holds_or_else_the_notes():
    held = GateDecision(Stage.DATA, Decision.HELD, holds=(Hold(Cause.ERRORED, "gone"),), notes=("a note",))
    assert held.reasons == ("gone",)
    assert GateDecision(Stage.DATA, Decision.OPEN, notes=("a note",)).reasons == ("a note",)


def test_an_event_has_no_room_for_content():
    fields = set(msgspec.json.decode(msgspec.json.encode(Event(id="r", at="t", kind=EventKind.REQUEST))))
    assert not fields & {"prompt", "messages", "text", "answer", "key", "token"}


def test_errors_print_what_to_do():
    assert str(LockgateError("It broke.", remedy="Mend it.")) == "It broke. Mend it."
    assert str(LockgateError("It broke.")) == "It broke."
