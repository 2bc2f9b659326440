"""An earlier run to compare with: the same attacks then and now."""

import msgspec

from lockgate.core.subject import SubjectRef, sha256_hex
from lockgate.redteam.attempt import AttemptStatus, Lane
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.result import CorpusRef, RedteamResult
from lockgate.redteam.statistics import worse_exact

_JUDGED = frozenset({AttemptStatus.SUCCEEDED, AttemptStatus.RESISTED, AttemptStatus.BLOCKED})


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an earlier run found, attack by attack.

    Attributes:
        version: Version of this format.
        corpus: Which corpus it sent.
        seed: Its seed; another seed disguises the same attack differently.
        fell: For every attack that was judged, whether it reached its goal.
    """

    version: int = 1
    corpus: CorpusRef
    seed: int
    fell: dict[str, bool]


class Regression(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier run beside this one, on the attacks that both judged.

    Attributes:
        pairs: Attacks that both judged.
        fixed: Attacks that reached their goal only then.
        fallen: Attacks that reach their goal only now.
        p_value: One-sided exact p-value that the target got worse.
        names: The attacks that are counted in `fallen`.
    """

    pairs: int
    fixed: int
    fallen: int
    p_value: float
    names: tuple[str, ...]

    @property
    def ref(self) -> SubjectRef:
        """`redteam:baseline` with the digest of these numbers."""
        return SubjectRef("redteam:baseline", sha256_hex(msgspec.json.encode(self, order="sorted")))


def baseline_of(result: RedteamResult) -> Baseline:
    """What a later run will be compared with.

    Raises:
        RedteamError: The run is not complete, so it is nothing to hold on to.
    """
    if not result.complete:
        raise RedteamError("An incomplete run is no baseline.", remedy="Let the run end, with --resume if need be.")
    return Baseline(corpus=result.corpus, seed=result.seed, fell=_fell(result))


def compare(baseline: Baseline, result: RedteamResult) -> Regression:
    """Compare an earlier run with this one.

    Raises:
        RedteamError: They sent different corpora or disguised them by different seeds.
    """
    if baseline.corpus.sha256 != result.corpus.sha256 or baseline.seed != result.seed:
        raise RedteamError(
            "The baseline was made with another corpus or another seed.",
            remedy="Write a new one with --write-baseline.",
        )
    now = _fell(result)
    both = sorted(baseline.fell.keys() & now.keys())
    fallen = tuple(name for name in both if now[name] and not baseline.fell[name])
    fixed = sum(baseline.fell[name] and not now[name] for name in both)
    p_value = worse_exact(fixed, len(fallen))
    return Regression(pairs=len(both), fixed=fixed, fallen=len(fallen), p_value=p_value, names=fallen)


def _fell(result: RedteamResult) -> dict[str, bool]:
    return {
        attempt.id: attempt.status is AttemptStatus.SUCCEEDED
        for attempt in result.transcripts
        if attempt.attack and not attempt.control and attempt.lane is Lane.GUARDED and attempt.status in _JUDGED
    }
