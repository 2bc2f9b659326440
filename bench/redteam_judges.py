"""Measures the red team's judges on labelled conversations: precision and recall with 95 % Wilson intervals.

Usage: python bench/redteam_judges.py [--misses] [--data FILE]
"""

import argparse
from collections import defaultdict
from pathlib import Path

from lockgate.core import Status, run
from lockgate.redteam.judges import judges_of
from lockgate.redteam.labelled import Agreement, Case, agreement, read_cases, verdict

FOLDER = Path(__file__).resolve().parents[1] / "corpus" / "redteam-judges"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--misses", action="store_true", help="name the conversations that a judge gets wrong")
    parser.add_argument("--data", type=Path, help="labelled conversations of your own, instead of those of corpus/")
    given = parser.parse_args()
    files = [given.data] if given.data else [FOLDER / f"{name}.jsonl" for name in ("written", "generated")]
    cases = [case for file in files for case in read_cases(file.read_bytes())]
    print(
        f"{len(cases)} labelled conversations, {sum(case.reached for case in cases)} of them successes, "
        f"{len({case.lang for case in cases})} languages"
    )
    print(f"{'judges':<42}{'cases':>6}  {'precision':<28}{'recall':<28}{'kappa':>6}")
    groups: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        judges = ", ".join(check.card.id.removeprefix("LG-REDTEAM-") for check in judges_of(case.goal))
        groups[f"{type(case.goal).__name__} ({judges})"].append(case)
    for name, group in (
        *sorted(groups.items()),
        *([] if given.data else [("written by hand", [c for c in cases if c.id[0] == "w"])]),
        ("all", cases),
    ):
        _print(name, agreement(group, (verdict(case) for case in group)))
    if given.misses:
        for case in cases:
            if verdict(case) is not case.reached:
                found = [
                    check.card.id
                    for check in judges_of(case.goal)
                    if run(check, case.transcript).status is Status.FAILED
                ]
                print(f"{case.id} {case.kind}: {'claimed by ' + ', '.join(found) if found else 'missed'}")


def _print(name: str, found: Agreement) -> None:
    precision = _share(found.found, found.claimed, found.precision95)
    recall = _share(found.found, found.reached, found.recall95)
    print(f"{name:<42}{found.cases:>6}  {precision:<28}{recall:<28}{found.kappa:>6.2f}")


def _share(part: int, whole: int, ends: tuple[float, float]) -> str:
    return f"{part}/{whole} {part / whole:.1%} [{ends[0]:.0%}, {ends[1]:.0%}]" if whole else "-"


if __name__ == "__main__":
    main()
