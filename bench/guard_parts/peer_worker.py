"""Runs one peer in its own environment: a JSON text and origin a line in, score, verdict and time a line out.

    python peer_worker.py NAME

Only the standard library and the peer are imported. Each peer is used as its own manual says for a text of that
origin, with defaults; what would send anything away is switched off.
"""

import json
import os
import sys
import time
from collections.abc import Callable

Answer = tuple[float, bool]
Judge = Callable[[str, str], Answer]


def stackone() -> Judge:
    from stackone_defender import create_prompt_defense  # noqa: PLC0415 - only the peer of this environment is there

    defense = create_prompt_defense(block_high_risk=True, require_tier2=True)
    defense.warmup_tier2()

    def judge(text: str, _: str) -> Answer:
        found = defense.defend_tool_result(text, "read")
        # Its patterns change the verdict, not this score; a sweep over it is the kinder reading.
        return float(found.tier2_score or 0.0), not found.allowed

    return judge


def forcefield() -> Judge:
    import forcefield as package  # noqa: PLC0415
    from forcefield.ml import is_available  # noqa: PLC0415

    if not is_available():
        raise RuntimeError("its classifier cannot be loaded")
    guard = package.Guard(telemetry=False)

    def judge(text: str, _: str) -> Answer:
        found = guard.scan(text)
        return float(found.risk_score), bool(found.blocked)

    return judge


def aicordon() -> Judge:
    from aicordon import picket  # noqa: PLC0415

    typed, fetched = picket.load(mode="dpi"), picket.load()
    ranks = {"low": 1.0, "medium": 2.0, "high": 3.0}

    def judge(text: str, origin: str) -> Answer:
        found = (typed if origin == "user" else fetched).check(text)
        return ranks.get(str(found.severity).lower(), 1.0) if found.flagged else 0.0, bool(found.flagged)

    return judge


def toolwall() -> Judge:
    from toolwall.detect import CompositeDetector  # noqa: PLC0415
    from toolwall.policy import Policy  # noqa: PLC0415

    detector = CompositeDetector(use_judge=False)
    limit = float(Policy.model_fields["response_ipi_threshold"].default)

    def judge(text: str, _: str) -> Answer:
        score = detector.score(text)[0]
        return float(score), score >= limit

    return judge


PEERS: dict[str, Callable[[], Judge]] = {
    "stackone-defender": stackone,
    "forcefield": forcefield,
    "aicordon": aicordon,
    "toolwall-guard": toolwall,
}


def main() -> None:
    # What a peer prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    judge = PEERS[sys.argv[1]]()
    judge("Good morning, when do you open?", "user")
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        began = time.process_time()
        try:
            score, blocked = judge(asked["text"], asked["origin"])
            answer = {"score": score, "blocked": blocked}
        except Exception as error:  # noqa: BLE001 - a peer may fail at anything; that is part of what is reported
            answer = {"score": 0.0, "blocked": False, "error": type(error).__name__}
        answer["ms"] = 1_000 * (time.process_time() - began)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
