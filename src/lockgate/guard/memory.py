"""Remembers which turns of conversations a guard let pass, so that a request costs what is new in it."""

import hashlib
import secrets
import threading
from collections import OrderedDict

import msgspec

CAPACITY = 50_000
"""Turns that are remembered by default; some 10 MB."""

_DIGEST_BYTES = 16
_KEY_BYTES = 32


class Memory:
    """Scores of turns that were allowed unchanged. Thread-safe; belongs to one guard, as another may judge otherwise.

    A client sends the whole conversation again with every request, and without a memory every turn of it would be
    judged again. Kept are digests under a random key of this process (BLAKE2b, RFC 7693), never a text. Blocks and
    redactions are not kept. What is known is known within its scope only: how long an answer takes must not tell one
    tenant what another one wrote.

    Args:
        capacity: Turns to remember; beyond that the one that was longest unused is forgotten.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._capacity = capacity
        self._scores: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Memory({len(self)} of {self._capacity} turns)"

    def __len__(self) -> int:
        return len(self._scores)

    def digest(self, scope: str, role: str, content: str) -> bytes:
        """What a turn is remembered by: 16 bytes, which say nothing without the key.

        Args:
            scope: Who may profit from it, such as a key's id.
            role: Who is taken to have said it.
            content: Its text.
        """
        state = hashlib.blake2b(key=self._key, digest_size=_DIGEST_BYTES)
        for part in (scope, role, content):
            encoded = part.encode("utf-8", "surrogatepass")
            state.update(len(encoded).to_bytes(8, "big"))
            state.update(encoded)
        return state.digest()

    def recall(self, digest: bytes) -> float | None:
        """The score with which a turn was allowed; None where it is not known."""
        with self._lock:
            score = self._scores.get(digest)
            if score is not None:
                self._scores.move_to_end(digest)
            return score

    def keep(self, digest: bytes, score: float) -> None:
        """Remember that a turn was allowed as it stands."""
        with self._lock:
            self._scores[digest] = score
            self._scores.move_to_end(digest)
            while len(self._scores) > self._capacity:
                self._scores.popitem(last=False)


class Known(msgspec.Struct, frozen=True):
    """What earlier conversations of one scope spare a guard.

    Attributes:
        memory: Turns that this guard allowed.
        scope: Whose conversation it is; what one scope sent spares no other one.
    """

    memory: Memory
    scope: str

    def digest(self, role: str, content: str) -> bytes:
        """What a turn is remembered by in this scope."""
        return self.memory.digest(self.scope, role, content)
