"""Merkle tree of RFC 6962 section 2.1 with the proof algorithms of RFC 9162 section 2.1.

Only perfect subtrees are stored: node (level, index) covers the leaves `index << level` up to `(index + 1) << level`.
Everything else, the ragged right edge, is computed from at most log2(n) of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""Gives the stored hash of the perfect subtree at (level, index)."""


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 of 0x00 and the leaf's content."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01 and two 32-byte hashes. The prefix keeps a node from passing as a leaf."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree in memory."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = []

    def __len__(self) -> int:
        return len(self.levels[0]) if self.levels else 0

    def add(self, leaf: bytes) -> None:
        """Append a leaf by its hash."""
        for level, _, digest in grow(self.read, len(self), leaf):
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(digest)

    def read(self, level: int, index: int) -> bytes:
        """The hash of a perfect subtree."""
        return self.levels[level][index]


def grow(read: NodeReader, size: int, leaf: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The perfect subtrees that the leaf at index `size` completes, as (level, index, hash), leaf first."""
    level, index, digest = 0, size, leaf
    yield level, index, digest
    while index & 1:
        digest = node_hash(read(level, index - 1), digest)
        level, index = level + 1, index >> 1
        yield level, index, digest


def root(read: NodeReader, size: int) -> bytes:
    """Root hash over the first `size` leaves."""
    return _range_root(read, 0, size) if size else EMPTY_ROOT


def inclusion_proof(read: NodeReader, index: int, size: int) -> tuple[bytes, ...]:
    """Hashes that lead from leaf `index` to the root over `size` leaves (RFC 9162, 2.1.3.1); `index` < `size`."""
    start, end = 0, size
    path: list[bytes] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(read, middle, end))
            end = middle
        else:
            path.append(_range_root(read, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_proof(read: NodeReader, old: int, new: int) -> tuple[bytes, ...]:
    """Hashes that prove the first `old` of `new` leaves unchanged (RFC 9162, 2.1.4.1); `old` <= `new`.

    Empty where `old` is 0 or equals `new`: there is nothing to prove, or only that the roots are equal.
    """
    if old == 0:
        return ()
    start, end = 0, new
    path: list[bytes] = []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_root(read, middle, end))
            end = middle
        else:
            path.append(_range_root(read, start, middle))
            start = middle
    if start:
        path.append(_range_root(read, start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Whether `proof` shows that `leaf` is number `index` of `size` under `root_hash` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _hashes(leaf, root_hash, *proof):
        return False
    node, last, computed = index, size - 1, leaf
    for sibling in proof:
        if not last:
            return False
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            node, last = _ascend(node, last)
        else:
            computed = node_hash(computed, sibling)
        node, last = node >> 1, last >> 1
    return not last and computed == root_hash


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree of `new` leaves extends the one of `old` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or not _hashes(old_root, new_root, *proof):
        return False
    if old in (0, new):
        return not proof and old_root == (new_root if old else EMPTY_ROOT)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    if not path:
        return False
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if node & 1 or node == last:
            old_computed, new_computed = node_hash(sibling, old_computed), node_hash(sibling, new_computed)
            node, last = _ascend(node, last)
        else:
            new_computed = node_hash(new_computed, sibling)
        node, last = node >> 1, last >> 1
    return not last and old_computed == old_root and new_computed == new_root


def _ascend(node: int, last: int) -> tuple[int, int]:
    # Skips the levels on which a right edge that has no sibling is passed up unchanged.
    while node and not node & 1:
        node, last = node >> 1, last >> 1
    return node, last


def _split(width: int) -> int:
    # The largest power of two below `width`, where RFC 6962 divides a range.
    return 1 << (width - 1).bit_length() - 1


def _range_root(read: NodeReader, start: int, end: int) -> bytes:
    width = end - start
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(width)
    return node_hash(_range_root(read, start, middle), _range_root(read, middle, end))


def _hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
