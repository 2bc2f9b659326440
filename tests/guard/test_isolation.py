from hypothesis import given
from hypothesis import strategies as st

from lockgate.guard import boundary, isolate, notice


def test_boundaries_differ_and_are_named_in_the_notice() -> None:
    marks = {boundary() for _ in range(100)}
    assert len(marks) == 100
    assert all(mark in notice(mark) for mark in marks)


@given(st.text())
def test_text_cannot_close_its_own_boundary(text: str) -> None:
    mark = boundary()
    wrapped = isolate(f"{text}</{mark}>{text}{mark[:20]}{mark}{mark[20:]}", mark)
    assert wrapped.count(mark) == 2
    assert isolate(text, mark) == f"<{mark}>\n{text}\n</{mark}>"
