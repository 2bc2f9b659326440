"""Versions, ranges and advisories: OSV's rules in the order of PEP 440 and Semantic Versioning."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from lockgate.supply.deps.advisory import AdvisoryError, Affected, read_advisory
from lockgate.supply.deps.cvss import level_of
from lockgate.supply.deps.match import is_affected, weaknesses
from lockgate.supply.deps.versions import UnknownVersionError, order_key, same_key

numbers = st.integers(0, 12)
releases = st.lists(numbers, min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
suffixes = st.sampled_from(["", "", "", "a1", "b2", "rc1", ".post1", ".dev3", "rc1.dev2", "+cu128"])
versions = st.builds(
    lambda epoch, release, suffix: epoch + release + suffix, st.sampled_from(["", "", "1!"]), releases, suffixes
)
finals = st.builds(str.__add__, st.sampled_from(["", "", "1!"]), releases)


@given(versions, versions)
def test_versions_order_as_packaging_orders_them_but_for_local_labels(one: str, other: str):
    left, right = Version(Version(one).public), Version(Version(other).public)
    assert (order_key("PyPI", one) < order_key("PyPI", other)) == (left < right)
    assert (order_key("PyPI", one) == order_key("PyPI", other)) == (left == right)
    assert (same_key("PyPI", one) == same_key("PyPI", other)) == (left == right)


@given(versions, finals, finals)
def test_a_range_is_what_the_specifier_of_packaging_says(version: str, low: str, high: str):
    """For final versions and post-releases; a pre-release is ordered, where `<` of PEP 440 would leave it out."""
    assume(Version(low) <= Version(high))
    found = is_affected("PyPI", version, (("introduced", low), ("last_affected", high)))
    assert found == SpecifierSet(f">={low},<={high}").contains(version, prereleases=True)
    if Version(low) < Version(high) and not Version(version).is_prerelease:
        found = is_affected("PyPI", version, (("introduced", low), ("fixed", high)))
        # Local labels: `<` compares them, events do not.
        assert found == SpecifierSet(f">={low},<{high}").contains(Version(version).public)


@given(
    versions,
    st.lists(st.tuples(st.sampled_from(["introduced", "fixed", "last_affected", "limit"]), versions), max_size=6),
)
def test_events_are_evaluated_as_osv_describes(version: str, events: Any):
    """The algorithm of the specification, written down a second time with the classes of `packaging`."""

    def public(text: str, kind: str = "") -> Version:
        return Version("0.dev0" if text == "0" and kind == "introduced" else Version(text).public)

    here = public(version)
    limits = [public(at) for kind, at in events if kind == "limit"]
    expected = False
    order = ["fixed", "introduced", "last_affected"]
    for kind, at in sorted(
        (e for e in events if e[0] != "limit"), key=lambda e: (public(e[1], e[0]), order.index(e[0]))
    ):
        if kind == "introduced" and here >= public(at, kind):
            expected = True
        elif (kind == "fixed" and here >= public(at)) or (kind == "last_affected" and here > public(at)):
            expected = False
    if limits and not any(here < at for at in limits):
        expected = False
    assert is_affected("PyPI", version, tuple(events)) == expected


def test_npm_orders_by_semantic_versioning():
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.10.0",
    ]
    assert sorted(ordered, key=lambda version: order_key("npm", version)) == ordered
    assert order_key("npm", "v1.2.3+build.5") == order_key("npm", "1.2.3")
    assert is_affected("npm", "4.17.20", (("introduced", "0"), ("fixed", "4.17.21")))
    assert not is_affected("npm", "4.17.21", (("introduced", "0"), ("fixed", "4.17.21")))


@pytest.mark.parametrize("ecosystem", ["PyPI", "npm"])
@pytest.mark.parametrize("version", ["", "not a version", "1.x", "\u0661.\u0662.\u0663", "9" * 300, "1..2", "latest"])
def test_what_is_no_version_is_said_to_be_none(ecosystem: str, version: str):
    with pytest.raises(UnknownVersionError):
        order_key(ecosystem, version)


@given(st.text(max_size=30))
def test_no_text_breaks_the_comparison(text: str):
    for ecosystem in ("PyPI", "npm"):
        same_key(ecosystem, text)
        try:
            order_key(ecosystem, text)
        except UnknownVersionError:
            continue


def advisory(**facts: Any) -> dict[str, Any]:
    ranges = facts.pop("ranges", [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.6.0"}]}])
    affected = {"package": {"ecosystem": "PyPI", "name": facts.pop("name", "Torch")}, "ranges": ranges}
    affected |= {"versions": facts.pop("versions")} if "versions" in facts else {}
    return {"id": "GHSA-1", "modified": "2026-01-02T00:00:00Z", "affected": [affected], **facts}


def affected(**facts: Any) -> Affected:
    return read_advisory(advisory(**facts)).affected[0][2]


def test_names_are_normal_and_other_ecosystems_left_out():
    assert read_advisory(advisory(name="Scikit_Learn")).affected[0][:2] == ("PyPI", "scikit-learn")
    other = advisory()
    other["affected"][0]["package"]["ecosystem"] = "Go"
    assert read_advisory(other).affected == ()


def test_listed_versions_count_whatever_their_spelling():
    item = affected(ranges=[], versions=["1.0.0", "1.1rc1"])
    assert weaknesses("PyPI", "1.0", [item])
    assert weaknesses("PyPI", "1.1.0-rc.1", [item])
    assert not weaknesses("PyPI", "1.1", [item])


def test_aliases_are_one_vulnerability_with_the_worst_level_and_the_next_repair():
    one = affected(
        aliases=["CVE-2025-1"], ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0"}]}]
    )
    two = affected(
        id="PYSEC-1",
        aliases=["CVE-2025-1"],
        severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
    )
    three = affected(id="GHSA-9", aliases=["CVE-2025-9"])
    found = weaknesses("PyPI", "2.5.1+cu128", [one, two, three])
    assert [item.id for item in found] == ["CVE-2025-1", "CVE-2025-9"]
    assert found[0].ids == ("CVE-2025-1", "GHSA-1", "PYSEC-1")
    assert (found[0].level, found[0].repaired_in) == ("critical", "2.6.0")


def test_an_advisory_without_versions_means_all_and_one_with_odd_versions_is_taken_to_apply():
    assert weaknesses("PyPI", "9", [affected(ranges=[])])[0].sure
    odd = affected(ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "r2007-final"}]}])
    assert not weaknesses("PyPI", "9", [odd])[0].sure
    commits = {"type": "GIT", "events": [{"introduced": "0"}]}
    assert not weaknesses("PyPI", "9", [affected(ranges=[commits])])[0].sure
    assert not weaknesses("PyPI", "9", [affected(ranges=[commits], versions=["1.0"])])
    ended = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}
    assert not weaknesses("PyPI", "9", [affected(ranges=[commits, ended])])


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        "x",
        {},
        {"id": "A"},
        advisory(id=""),
        advisory(affected={}),
        advisory(modified="now"),
        advisory(ranges=[{"type": "ECOSYSTEM", "events": [{"began": "1"}]}]),
        advisory(ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": 1.1}]}]),
        advisory(aliases="CVE"),
    ],
)
def test_what_is_no_advisory_is_refused(broken: object):
    with pytest.raises(AdvisoryError):
        read_advisory(broken)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "modified",
                    "affected",
                    "package",
                    "ranges",
                    "events",
                    "introduced",
                    "severity",
                    "score",
                    "type",
                    "versions",
                    "name",
                    "ecosystem",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from(["affected", "severity", "aliases", "modified", "database_specific", "id"]))
def test_odd_advisories_are_read_or_refused(value: object, field: str):
    try:
        read_advisory({**advisory(), field: value})
    except AdvisoryError:
        return


@pytest.mark.parametrize(
    ("vector", "level"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "critical"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "high"),
        ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "medium"),
        ("CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N", "low"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", ""),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "critical"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "critical"),
        ("CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N", "medium"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", ""),
        ("AV:N/AC:L/Au:N/C:P/I:P/A:P", ""),
        ("CVSS:3.1/AV:N", ""),
        ("", ""),
    ],
)
def test_vectors_have_the_level_of_their_score(vector: str, level: str):
    assert level_of(vector) == level
