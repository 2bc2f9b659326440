import pytest

from lockgate.gateway.limits import sketch
from lockgate.gateway.limits.sketch import DistinctMeters, Sketch, fingerprint


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("number", [10, 500, 3_000, 40_000])
def test_the_count_is_right_to_some_percent(number: int):
    found = Sketch()
    for value in range(number):
        found.add(fingerprint(b"prompt %d" % value, b"salt"))
    assert found.count() == pytest.approx(number, rel=0.1)


def test_a_prompt_counts_once_and_merging_adds_only_what_is_new():
    one, other = Sketch(), Sketch()
    for value in range(400):
        one.add(fingerprint(b"%d" % (value % 50), b"salt"))
        other.add(fingerprint(b"%d" % (value % 100), b"salt"))
    assert one.count() == pytest.approx(50, abs=4)
    one.merge(other)
    assert one.count() == pytest.approx(100, abs=8)


def test_a_key_with_too_many_different_prompts_waits_and_others_do_not():
    clock = Clock()
    meters = DistinctMeters(100, 400.0, clock, b"salt")
    sent = 0
    while not meters.wait("copier") and sent < 200:
        meters.add("copier", b"question %d" % sent)
        sent += 1
    assert sent == pytest.approx(100, rel=0.1)
    assert 0 < meters.wait("copier") <= 100
    for _ in range(500):
        assert meters.wait("application") == 0
        meters.add("application", b"the same question")
    clock.now += 399
    assert meters.wait("copier") > 0
    clock.now += 102
    assert meters.wait("copier") == 0


def test_prompts_leave_the_window_slice_by_slice():
    clock = Clock()
    meters = DistinctMeters(1_000, 400.0, clock, b"salt")
    for part in range(2):
        for number in range(60):
            meters.add("key", b"%d-%d" % (part, number))
        clock.now += 100
    assert meters._windows["key"].total.count() == pytest.approx(120, rel=0.1)
    clock.now += 300
    assert meters.wait("key") == 0
    assert meters._windows["key"].total.count() == pytest.approx(60, rel=0.1)


def test_windows_are_bounded_and_one_that_counts_is_not_dropped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sketch, "_MAX_KEYS", 3)
    clock = Clock()
    meters = DistinctMeters(10, 40.0, clock, b"salt")
    for key in ("a", "b", "c"):
        assert meters.wait(key) == 0
        meters.add(key, b"x")
    assert meters.wait("d") == 10
    assert meters.wait("a") == 0
    clock.now += 100
    assert meters.wait("d") == 0
    meters.add("d", b"x")
    assert len(meters._windows) == 3
