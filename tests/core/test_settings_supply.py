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


def test_a_part_is_absent_only_by_its_name_and_with_a_reason():
    supply = parse({"version": 1, "project": "demo", "supply": {"absent": {"code": "none"}}}).supply
    assert supply.absent == {"code": "none"}
    for absent in ({"code": ""}, {"model": "none"}, {"code": None}):
        with pytest.raises(ConfigError):
            parse({"version": 1, "project": "demo", "supply": {"absent": absent}})
    for age in (0, -1, "week"):
        with pytest.raises(ConfigError):
            parse({"version": 1, "project": "demo", "supply": {"dependencies": {"max_data_age_days": age}}})
