"""Writes benign model files: what scikit-learn, PyTorch, NumPy, pandas and others save by themselves.

Run `python bench/supply_corpus/benign.py OUT` in an environment that has some of these libraries; what is missing is
left out. The name of each estimator or layer puts it into one of two halves: `seen`, which the allow-lists were worked
out with, and `held-out`, which nobody looked at. The figures that README quotes are those of `held-out`.
"""

import argparse
import bz2
import contextlib
import gzip
import hashlib
import importlib
import io
import json
import lzma
import pickle
import re
import tarfile
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

Written = tuple[str, str, bytes]
JOBLIB_COMPRESSIONS = (("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3))


def half(name: str) -> str:
    """Which half of the corpus a subject belongs to, decided by its name alone."""
    return "held-out" if hashlib.sha256(name.encode()).digest()[0] % 2 else "seen"


def _number(name: str, below: int) -> int:
    return hashlib.sha256(b"choice" + name.encode()).digest()[0] % below


def _optional(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _pickles(kind: str, name: str, value: Any) -> Iterator[Written]:
    for protocol in sorted({2, 4, 5, _number(name, 2)}):
        with contextlib.suppress(Exception):
            yield kind, f"{name}.p{protocol}.pkl", pickle.dumps(value, protocol=protocol)


def _joblib(kind: str, name: str, value: Any) -> Iterator[Written]:
    joblib = _optional("joblib")
    if joblib is None:
        return
    for label, options in (("plain", {}), ("c", {"compress": JOBLIB_COMPRESSIONS[_number(name, 5)]})):
        stream = io.BytesIO()
        with contextlib.suppress(Exception):
            joblib.dump(value, stream, **options)
            suffix = f".{options['compress'][0]}" if options else ""
            yield kind, f"{name}.{label}.joblib{suffix}", stream.getvalue()


def sklearn_files() -> Iterator[Written]:
    if _optional("sklearn") is None:
        return
    np = importlib.import_module("numpy")
    discovery = importlib.import_module("sklearn.utils.discovery")
    rng = np.random.default_rng(0)
    rows = np.abs(rng.random((60, 4))) + 0.1
    labels = np.array([0, 1, 2] * 20)
    targets = (labels, labels % 2, rows[:, 0], np.stack([labels % 2, labels // 2], axis=1), rows[:, :2], None)
    texts = ["one two three", "two three four", "five six seven", "one seven eight"] * 15
    inputs = (rows, texts, [{"a": 1.0, "b": 2.0}] * 60, rows[:, :1], rows[:, 0], rows @ rows.T)
    for name, kind in discovery.all_estimators():
        for number, made in enumerate(_instances(kind)):
            fitted = next((f for x in inputs for y in targets if (f := _fit(made, x, y)) is not None), None)
            if fitted is not None:
                label = name if not number else f"{name}-{number}"
                yield from _pickles("scikit-learn", label, fitted)
                yield from _joblib("scikit-learn", label, fitted)


def _instances(kind: Any) -> list[Any]:
    with contextlib.suppress(Exception):
        generator = importlib.import_module("sklearn.utils._test_common.instance_generator")
        return list(generator._construct_instances(kind))[:2]  # noqa: SLF001 - there is no public one
    with contextlib.suppress(Exception):
        return [kind()]
    return []


def companion_files() -> Iterator[Written]:
    """Libraries that build on scikit-learn, and kinds of its files that only some options lead to."""
    np = importlib.import_module("numpy")
    rng = np.random.default_rng(0)
    rows, labels = rng.random((60, 3)), np.array([0, 1, 1] * 20)
    ensemble = importlib.import_module("sklearn.ensemble")
    boosted = ensemble.HistGradientBoostingClassifier(max_iter=3, categorical_features=[0])
    yield from _pickles("companions", "categories", boosted.fit(np.column_stack([labels, rows]), labels))
    importlib.import_module("sklearn.experimental.enable_iterative_imputer")
    imputer = importlib.import_module("sklearn.impute").IterativeImputer(max_iter=2)
    holes = np.where(rows < 0.1, np.nan, rows)
    yield from _pickles("companions", "imputed", imputer.fit(holes))
    sampling, hidden, encoders = map(_optional, ("imblearn.over_sampling", "hmmlearn.hmm", "category_encoders"))
    if sampling is not None:
        pipeline = importlib.import_module("imblearn.pipeline")
        steps = [("s", sampling.SMOTE(random_state=0)), ("m", ensemble.RandomForestClassifier(3))]
        yield from _pickles("companions", "resampled", pipeline.Pipeline(steps).fit(rows, labels))
    if hidden is not None:
        yield from _pickles("companions", "hidden-states", hidden.GaussianHMM(2).fit(rows))
        yield from _joblib("companions", "hidden-categories", hidden.CategoricalHMM(2).fit(labels.reshape(-1, 1)))
    if encoders is not None:
        for name in ("TargetEncoder", "BinaryEncoder", "CatBoostEncoder", "WOEEncoder", "CountEncoder"):
            frame = importlib.import_module("pandas").DataFrame({"c": labels.astype(str)})
            yield from _pickles("companions", name, getattr(encoders, name)().fit(frame, labels))


def _fit(made: Any, rows: Any, target: Any) -> Any:
    base = importlib.import_module("sklearn.base")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return base.clone(made).fit(rows, target)
    except Exception:  # noqa: BLE001 - not every estimator takes every kind of data
        return None


def numpy_files() -> Iterator[Written]:
    np = importlib.import_module("numpy")
    values = {
        "float": np.arange(1000.0).reshape(10, 100),
        "fortran": np.asfortranarray(np.ones((7, 5))),
        "objects": np.array([{"a": 1}, "b", None, [1]], dtype=object),
        "record": np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2,))]),
        "text": np.array(["one", "two"]),
        "bytes": np.array([b"one", b"two"]),
        "dates": np.array(["2026-01-01", "2026-02-01"], dtype="datetime64[D]"),
        "complex": np.ones(3, dtype=complex),
        "bool": np.array([True, False]),
        "empty": np.zeros((0, 3)),
        "big-endian": np.arange(5, dtype=">i4"),
        "masked": np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]),
        "matrix": np.matrix([[1, 2], [3, 4]]),
        "scalars": [np.float32(1), np.int64(2), np.bool_(1), np.str_("x"), np.complex128(1j), np.datetime64("2026")],
        "generators": [np.random.default_rng(1), np.random.RandomState(2), np.random.Generator(np.random.Philox(3))],
        "poly": np.polynomial.Polynomial([1, 2, 3]),
        "dtype": [np.dtype("f4"), np.dtype([("a", "i8")])],
    }
    for name, value in values.items():
        yield from _pickles("numpy", name, value)
        yield from _joblib("numpy", name, value)
        stream = io.BytesIO()
        with contextlib.suppress(Exception):
            np.save(stream, value)
            yield "numpy", f"{name}.npy", stream.getvalue()
    for label, save in (("npz", np.savez), ("compressed.npz", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, a=values["float"], b=values["text"])
        yield "numpy", f"arrays.{label}", stream.getvalue()


def scipy_files() -> Iterator[Written]:
    sparse = _optional("scipy.sparse")
    if sparse is None:
        return
    np = importlib.import_module("numpy")
    for form in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
        for kind in ("matrix", "array"):
            made = getattr(sparse, f"{form}_{kind}")(np.eye(4))
            yield from _pickles("scipy", f"{form}-{kind}", made)
    spatial = importlib.import_module("scipy.spatial")
    interpolate = importlib.import_module("scipy.interpolate")
    points = np.random.default_rng(0).random((30, 2))
    yield from _pickles("scipy", "kdtree", spatial.KDTree(points))
    yield from _pickles("scipy", "ckdtree", spatial.cKDTree(points))
    yield from _pickles("scipy", "spline", interpolate.CubicSpline(np.arange(5), np.arange(5) ** 2))
    yield from _pickles("scipy", "interp1d", interpolate.interp1d(np.arange(5), np.arange(5)))


def pandas_files() -> Iterator[Written]:
    pd = _optional("pandas")
    if pd is None:
        return
    np = importlib.import_module("numpy")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", None]})
    values = {
        "frame": frame,
        "series": frame["b"],
        "index": pd.Index([1, 2, 3]),
        "multi-index": frame.set_index(["a", "c"]),
        "category": frame.assign(c=frame["c"].astype("category")),
        "dates": pd.DataFrame({"t": pd.date_range("2026-01-01", periods=3)}),
        "zones": pd.DataFrame({"t": pd.date_range("2026-01-01", periods=3, tz="UTC")}),
        "periods": pd.Series(pd.period_range("2026-01", periods=3, freq="M")),
        "deltas": pd.Series(pd.to_timedelta([1, 2, 3], unit="D")),
        "nullable": frame.convert_dtypes(),
        "intervals": pd.cut(frame["b"], 2),
        "sparse": pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
        "columns": pd.DataFrame(np.eye(3), columns=["a", "b", "c"], index=pd.RangeIndex(3)),
        "stamp": [pd.Timestamp("2026-01-01"), pd.Timedelta("1D"), pd.NaT, pd.NA],
    }
    for name, value in values.items():
        yield from _pickles("pandas", name, value)
        yield from _joblib("pandas", name, value)


def boosted_files() -> Iterator[Written]:
    np = importlib.import_module("numpy")
    rows, labels = np.random.default_rng(0).random((60, 4)), np.array([0, 1] * 30)
    xgboost, lightgbm = _optional("xgboost"), _optional("lightgbm")
    kinds: list[tuple[str, Any]] = []
    if xgboost is not None:
        kinds += [("xgboost", getattr(xgboost, n)) for n in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier")]
        booster = xgboost.train({"verbosity": 0}, xgboost.DMatrix(rows, labels), 3)
        yield from _pickles("xgboost", "Booster", booster)
    if lightgbm is not None:
        kinds += [("lightgbm", getattr(lightgbm, n)) for n in ("LGBMClassifier", "LGBMRegressor")]
        booster = lightgbm.train({"verbosity": -1}, lightgbm.Dataset(rows, labels), 3)
        yield from _pickles("lightgbm", "Booster", booster)
    for framework, kind in kinds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = kind(n_estimators=3, verbosity=0 if framework == "xgboost" else -1).fit(rows, labels)
        yield from _pickles(framework, kind.__name__, fitted)
        yield from _joblib(framework, kind.__name__, fitted)


def catboost_files() -> Iterator[Written]:
    catboost = _optional("catboost")
    if catboost is None:
        return
    rows, labels = [[float(at % 7), float(at % 5)] for at in range(40)], [0, 1] * 20
    for name in ("CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"):
        options = {"iterations": 3, "verbose": False, "allow_writing_files": False}
        groups = {"group_id": [at // 8 for at in range(40)]} if name == "CatBoostRanker" else {}
        fitted = getattr(catboost, name)(**options).fit(rows, labels, **groups)
        yield from _pickles("catboost", name, fitted)
        yield from _joblib("catboost", name, fitted)


def graph_files() -> Iterator[Written]:
    networkx = _optional("networkx")
    if networkx is None:
        return
    for name in ("Graph", "DiGraph", "MultiGraph", "MultiDiGraph"):
        graph = getattr(networkx, name)([(1, 2), (2, "three")], kind=name)
        yield from _pickles("networkx", name, graph)
        views = [graph.nodes, graph.edges, graph.adj, graph.nodes.data()]
        yield from _pickles("networkx", f"{name}-views", views)
    yield from _pickles("networkx", "part", networkx.path_graph(5).subgraph([1, 2, 3]))


def gensim_files() -> Iterator[Written]:
    if _optional("gensim") is None:
        return
    models = importlib.import_module("gensim.models")
    words = [["one", "two", "three"], ["two", "three", "four"], ["five", "one"]] * 9
    small = {"vector_size": 4, "min_count": 1, "workers": 1, "epochs": 1}
    tagged = [models.doc2vec.TaggedDocument(text, [at]) for at, text in enumerate(words)]
    vectors = models.Word2Vec(words, **small)
    dictionary = importlib.import_module("gensim.corpora").Dictionary(words)
    counts = [dictionary.doc2bow(text) for text in words]
    made = {
        "Word2Vec": vectors,
        "KeyedVectors": vectors.wv,
        "FastText": models.FastText(words, bucket=50, **small),
        "Doc2Vec": models.Doc2Vec(tagged, **small),
        "Dictionary": dictionary,
        "TfidfModel": models.TfidfModel(counts),
        "LdaModel": models.LdaModel(counts, 2, dictionary),
        "LsiModel": models.LsiModel(counts, 2, dictionary),
        "Phrases": models.Phrases(words, min_count=1),
        "MatrixSimilarity": importlib.import_module("gensim.similarities").MatrixSimilarity(counts, num_features=5),
    }
    for name, value in made.items():
        yield from _pickles("gensim", name, value)


def torch_files() -> Iterator[Written]:
    torch = _optional("torch")
    if torch is None:
        return
    for name, module in _modules(torch):
        for label, value in (("module", module), ("state", module.state_dict())):
            yield from _saved(torch, f"{name}.{label}", value)
        yield from _pickles("torch", f"{name}.module", module)
    for name, value in _torch_values(torch).items():
        yield from _saved(torch, name, value)
        yield from _pickles("torch", name, value)
    yield from _scripted(torch)


def _saved(torch: ModuleType, name: str, value: Any) -> Iterator[Written]:
    for label, wide in (("pt", True), ("legacy.pt", False)):
        stream = io.BytesIO()
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.save(value, stream, _use_new_zipfile_serialization=wide)
            yield "torch", f"{name}.{label}", stream.getvalue()


def _modules(torch: ModuleType) -> Iterator[tuple[str, Any]]:
    """Every layer of torch.nn, made from the first of a few argument lists that it takes."""
    tries: tuple[tuple[Any, ...], ...] = (
        (),
        (4,),
        (4, 4),
        (4, 4, 3),
        (2, 4, 4),
        ([torch.nn.Linear(2, 2)],),
        ({"a": torch.nn.ReLU()},),
        (torch.nn.TransformerEncoderLayer(4, 2, 8), 2),
        (torch.nn.TransformerDecoderLayer(4, 2, 8), 2),
        (4, 2),
        (4, 2, 2),
        (4, [2, 3]),
        (1, (2, 2)),
        ((2, 2),),
        (0.0, 1.0),
    )
    for name in sorted({*torch.nn.modules.__all__, "Sequential"}):
        kind = getattr(torch.nn, name, None)
        for arguments in tries if isinstance(kind, type) and kind is not torch.nn.Module else ():
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = kind(*arguments)
                if isinstance(made, torch.nn.Module):
                    yield name, made
                break


def _torch_values(torch: ModuleType) -> dict[str, Any]:
    nn = torch.nn
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    optimiser = torch.optim.AdamW(net.parameters())
    net(torch.ones(2, 1, 4, 4)).sum().backward()
    optimiser.step()
    kinds = [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "bool",
        "complex64",
        "float8_e4m3fn",
    ]
    return {
        "net": net,
        "transformer": nn.Transformer(8, 2, 1, 1, 16),
        "lstm": nn.LSTM(4, 4, 2, bidirectional=True),
        "optimiser": optimiser.state_dict(),
        "optimiser-object": optimiser,
        "scheduler": torch.optim.lr_scheduler.StepLR(optimiser, 2).state_dict(),
        "checkpoint": {"epoch": 3, "model": net.state_dict(), "optimiser": optimiser.state_dict(), "loss": 0.5},
        "kinds": {kind: torch.zeros(3, dtype=getattr(torch, kind)) for kind in kinds},
        "sparse-coo": torch.eye(3).to_sparse(),
        "sparse-csr": torch.eye(3).to_sparse_csr(),
        "quantised": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "views": {"base": (base := torch.arange(10.0)), "view": base[2:5], "turned": base.reshape(2, 5).T},
        "shape": {"size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float16},
        "parameter": nn.Parameter(torch.ones(3)),
        "numpy": {"mean": torch.ones(3).numpy(), "step": torch.ones(1).numpy()[0]},
        "meta": torch.ones(3, device="meta"),
        "generator": torch.Generator().get_state(),
        "storage": torch.ones(3).untyped_storage(),
        "ordered": OrderedDict(a=torch.ones(2), b=torch.zeros(0)),
        "parameters": nn.ParameterDict({"a": nn.Parameter(torch.ones(2))}),
        "complex-net": nn.ModuleDict({"a": nn.ModuleList([nn.GELU(), nn.Embedding(5, 3)]), "b": nn.GRU(4, 2)}),
        "weight-norm": nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)).state_dict(),
        "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
    }


def _scripted(torch: ModuleType) -> Iterator[Written]:
    nn = torch.nn
    nets = {
        "linear": (nn.Linear(2, 2), torch.ones(1, 2)),
        "conv": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2)), torch.ones(1, 1, 8, 8)),
        "gru": (nn.GRU(3, 3), torch.ones(2, 1, 3)),
        "norm": (nn.Sequential(nn.LayerNorm(4), nn.Dropout(0.1), nn.Softmax(-1)), torch.ones(2, 4)),
        "attention": (nn.TransformerEncoderLayer(4, 2, 8), torch.ones(2, 1, 4)),
        "embedding": (nn.Embedding(4, 2), torch.tensor([1, 2])),
    }
    for name, (net, given) in nets.items():
        for how, make in (("script", lambda n, _: torch.jit.script(n)), ("trace", torch.jit.trace)):
            stream = io.BytesIO()
            with contextlib.suppress(Exception), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.jit.save(make(net.eval(), given), stream)
                yield "torchscript", f"{name}.{how}.pt", stream.getvalue()


def wrapped_files() -> Iterator[Written]:
    value = pickle.dumps({"weights": list(range(500)), "name": "plain"})
    tarred, zipped = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        entry = tarfile.TarInfo("model/weights.pkl")
        entry.size = len(value)
        archive.addfile(entry, io.BytesIO(value))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("weights.pkl", value)
    yield "wrapped", "plain.pkl.gz", gzip.compress(value, mtime=0)
    yield "wrapped", "plain.pkl.bz2", bz2.compress(value)
    yield "wrapped", "plain.pkl.xz", lzma.compress(value)
    alone = lzma.compress(value, lzma.FORMAT_ALONE)
    yield "wrapped", "stated-size.lzma", alone[:5] + len(value).to_bytes(8, "little") + alone[13:]
    yield "wrapped", "plain.tar", tarred.getvalue()
    yield "wrapped", "plain.tar.gz", gzip.compress(tarred.getvalue(), mtime=0)
    yield "wrapped", "plain.nemo", tarred.getvalue()
    yield "wrapped", "plain.zip", zipped.getvalue()
    zstandard = _optional("zstandard")
    if zstandard is not None:
        yield "wrapped", "plain.pkl.zst", zstandard.compress(value)


SOURCES: tuple[Callable[[], Iterator[Written]], ...] = (
    sklearn_files,
    companion_files,
    numpy_files,
    scipy_files,
    pandas_files,
    boosted_files,
    catboost_files,
    graph_files,
    gensim_files,
    torch_files,
    wrapped_files,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write benign model files.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    rows: list[dict[str, str]] = []
    for source in SOURCES:
        try:
            for kind, name, body in source():
                path = f"{kind}/{name}"
                target = out / half(f"{kind}/{re.split('[.-]', name)[0]}") / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(body)
                rows.append({"path": target.relative_to(out).as_posix(), "kind": kind, "half": target.parts[-3]})
        except ImportError as error:
            print(f"left out {source.__name__}: {error}")
    (out / "benign.json").write_text(json.dumps(rows, indent=1))
    print(f"{len(rows)} files, {sum(row['half'] == 'held-out' for row in rows)} of them held out")


if __name__ == "__main__":
    main()
