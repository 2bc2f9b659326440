import datetime as dt

import pytest

from lockgate.core import ConfigError
from lockgate.core.config import parse

ENTRY = {"name": "mine.models.Net", "how": "built", "until": dt.date(2027, 1, 31), "why": "the ranking model"}


def test_names_that_pickles_may_use_are_read():
    supply = parse({"version": 1, "project": "demo", "supply": {"pickle_names": [ENTRY]}}).supply
    assert supply.pickle_names[0].until == dt.date(2027, 1, 31)
    assert parse({"version": 1, "project": "demo"}).supply.pickle_names == ()


@pytest.mark.parametrize(
    "change",
    [{"name": "Net"}, {"name": "os.system\n"}, {"how": "run"}, {"until": "soon"}, {"why": ""}, {"until": None}],
)
def test_an_entry_without_a_place_a_day_or_a_reason_is_refused(change: dict[str, object]):
    with pytest.raises(ConfigError):
        parse({"version": 1, "project": "demo", "supply": {"pickle_names": [{**ENTRY, **change}]}})
