"""The allow-lists: exact names, none that runs anything, and a policy that can add one for a while."""

import datetime as dt
import json
from pathlib import Path

import pytest

from lockgate.core import Status, SubjectRef, run
from lockgate.core.config_supply import AllowedName
from lockgate.detect.pickle_contracts import BY_NAME
from lockgate.detect.pickle_names import CLASSES, CONTRACTS, DIGEST, LISTS, REFERENCES
from lockgate.detect.source import Memory
from lockgate.supply.formats import read_model
from lockgate.supply.pickle_code import PickleCode
from lockgate.supply.subject import ModelFile

ROOT = Path(__file__).resolve().parents[3]
RUNS_SOMETHING = """
builtins.eval builtins.exec builtins.getattr.x builtins.open builtins.__import__ os.system posix.system
operator.attrgetter operator.methodcaller torch.load torch.from_file torch.save numpy.load
numpy.save numpy.fromfile numpy.vectorize numpy.frompyfunc pandas.read_pickle cloudpickle.loads
cloudpickle.cloudpickle._make_function
scipy.stats._continuous_distns.norm_gen scipy.stats._distn_infrastructure.rv_frozen sklearn.utils._testing.TempMemmap
torch.nn.modules.module._forward_unimplemented pickle.loads joblib.load marshal.loads types.FunctionType
""".split()  # noqa: SIM905 - a list of words reads best as one text


def test_every_list_has_exact_names_and_known_contracts() -> None:
    assert len(DIGEST) == 64
    assert {item.framework for item in LISTS} >= {"numpy", "scikit-learn", "torch", "pandas", "python"}
    for name in CLASSES | REFERENCES | CONTRACTS.keys():
        assert name.isascii()
        assert all(part.isidentifier() for part in name.split("."))
    assert {contract for contract, _ in CONTRACTS.values()} <= BY_NAME.keys()


@pytest.mark.parametrize("name", RUNS_SOMETHING)
def test_no_list_has_a_name_that_runs_something(name: str) -> None:
    assert name not in CLASSES | REFERENCES | CONTRACTS.keys()


def test_lists_name_the_versions_that_they_were_made_from() -> None:
    curated = json.loads((ROOT / "tools/allow_curated.json").read_text("utf-8"))
    assert {rules["framework"] for rules in curated} == {item.framework for item in LISTS}
    assert all(item.versions or item.framework == "python" for item in LISTS)


OWN = b"\x80\x02cmine.models\nNet\n)\x81}X\x01\x00\x00\x00wK\x01sb."
CALLED = b"\x80\x02cmine.models\nNet\nK\x01\x85R."
TODAY = dt.date(2026, 11, 22)


def status(body: bytes, *allow: AllowedName, today: dt.date | None = TODAY) -> Status:
    subject = ModelFile(SubjectRef("m.pkl", "0" * 64), len(body), "project", None, read_model(Memory(body), "m.pkl"))
    return run(PickleCode(allow=allow, today=today), subject).status


def test_a_policy_allows_one_name_for_one_use_until_one_day() -> None:
    entry = AllowedName(name="mine.models.Net", how="built", until=TODAY, why="the ranking model of the search team")
    assert status(OWN) is Status.FAILED
    assert status(OWN, entry) is Status.PASSED
    assert status(OWN, entry, today=TODAY + dt.timedelta(days=1)) is Status.FAILED
    assert status(OWN, entry, today=None) is Status.FAILED
    assert status(CALLED, entry) is Status.FAILED
    assert status(OWN.replace(b"models\nNet", b"models\nNot"), entry) is Status.FAILED


INTERVALS = b"cpandas.core.indexes.interval\n_new_IntervalIndex\n(c%s\n}X\x04\x00\x00\x00nameNstR."


IMPUTER = b"\x80\x02csklearn.impute._iterative\n_ImputerTriplet\n(K\x01K\x02%st\x81."
STATE = b"\x80\x02c%s\n)\x81}X%s%sK\x01sb."


def filled(name: bytes, key: bytes) -> bytes:
    return STATE % (name, len(key).to_bytes(4, "little"), key)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (IMPUTER % b"N", Status.PASSED),
        (IMPUTER % b"cposix\nsystem\n", Status.FAILED),
        (filled(b"networkx.classes.graph\nGraph", b"__networkx_cache__"), Status.PASSED),
        (filled(b"networkx.classes.graph\nGraph", b"__setstate__"), Status.FAILED),
        (filled(b"networkx.classes.graph\nGraph", b"__networkx__"), Status.FAILED),
        (filled(b"gensim.models.word2vec\nWord2Vec", b"__numpys"), Status.PASSED),
        (filled(b"gensim.similarities.docsim\nShard", b"fname"), Status.FAILED),
        (filled(b"gensim.models.lda_worker\nWorker", b"model"), Status.FAILED),
        (filled(b"catboost.core\nCatBoostClassifier", b"__model"), Status.PASSED),
        (b"\x80\x02cbuiltins\nhash\n.", Status.PASSED),
        (b"\x80\x02cbuiltins\nhash\nK\x01\x85R.", Status.FAILED),
        (b"\x80\x02]cpandas._libs.missing\nNA\na.", Status.PASSED),
        (b"\x80\x02ctorch.optim\nAdafactor\n)\x81}b.", Status.PASSED),
        (b"\x80\x02" + INTERVALS % b"pandas.core.indexes.interval\nIntervalIndex", Status.PASSED),
        (b"\x80\x02" + INTERVALS % b"subprocess\nPopen", Status.FAILED),
        (b"\x80\x02cpandas.core.arrays.string_arrow\nArrowStringArray\n)\x81}b.", Status.PASSED),
        (
            b"\x80\x02cpandas\nDateOffset\nK\x01\x89\x86R}X\x01\x00\x00\x00ncdateutil.relativedelta\nrelativedelta\n)\x81sb.",
            Status.PASSED,
        ),
        # It makes a buffer of any address in memory.
        (b"\x80\x02cpyarrow.lib\nforeign_buffer\nK\x08K\x08\x86R.", Status.FAILED),
    ],
    ids=[
        "a part of an imputer",
        "a function in an imputer",
        "a graph",
        "a hook in a graph",
        "a name like a hook",
        "vectors",
        "what loads other files",
        "a worker",
        "boosted trees",
        "a function named",
        "a function called",
        "a missing value",
        "an optimizer under its public name",
        "intervals",
        "no intervals",
        "Arrow",
        "an offset",
        "memory",
    ],
)
def test_lists_hold_what_ordinary_files_name_and_nothing_that_they_cannot(body: bytes, expected: Status) -> None:
    assert status(body) is expected
