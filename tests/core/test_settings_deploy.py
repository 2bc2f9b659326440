import pytest

from lockgate.core import ConfigError
from lockgate.core.config import parse
from lockgate.core.config_deploy import DeployConfig


def test_a_project_states_no_release_unless_it_says_so():
    assert parse({"version": 1, "project": "demo"}).deploy == DeployConfig()


def test_release_policy_signatures_and_lineage_are_read():
    stated = {
        "release": 7,
        "policy_id": "boats",
        "policy_version": 2,
        "signatures": [{"path": "models/base.gguf"}],
        "lineage": [{"model": "build/router", "base": ["a" * 64], "data": ["b" * 64]}],
    }
    deploy = parse({"version": 1, "project": "demo", "deploy": stated}).deploy
    assert (deploy.release, deploy.signatures[0].path, deploy.lineage[0].base) == (7, "models/base.gguf", ("a" * 64,))


@pytest.mark.parametrize(
    "stated",
    [
        {"release": 0},
        {"release": "7"},
        {"relase": 1},
        {"lineage": [{"model": "m", "base": ["A" * 64]}]},
        {"lineage": [{}]},
    ],
)
def test_mistakes_are_refused(stated: dict[str, object]):
    with pytest.raises(ConfigError):
        parse({"version": 1, "project": "demo", "deploy": stated})


def test_a_misspelt_key_is_suggested():
    with pytest.raises(ConfigError) as caught:
        parse({"version": 1, "project": "demo", "deploy": {"lineages": []}})
    assert "lineage" in caught.value.remedy
