"""What `lockgate redteam --target` takes a word for."""

import pytest

from lockgate.core.errors import ConfigError
from lockgate.pipeline.opened import project_of


@pytest.mark.parametrize("target", ["shop.bot:answer", "htp://127.0.0.1:8000/v1"])
def test_a_misspelt_target_names_all_the_ways_to_spell_one(target: str) -> None:
    with pytest.raises(ConfigError) as caught:
        project_of(target)
    assert "python:module:function" in (caught.value.remedy or "")
    assert "http://" in (caught.value.remedy or "")
