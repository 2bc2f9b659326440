"""The tree against a naive recursive reference, at every size up to 130."""

import hashlib
import random

import pytest

from lockgate.evidence import merkle

SIZES = 131
LEAVES = [f"leaf {number}".encode() for number in range(SIZES)]
TREE = merkle.Tree()
for _leaf in LEAVES:
    TREE.add(merkle.leaf_hash(_leaf))


def reference(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + reference(leaves[:split]) + reference(leaves[split:])).digest()


ROOTS = [reference(LEAVES[:size]) for size in range(SIZES)]


def flipped(proof: tuple[bytes, ...], chooser: random.Random) -> list[bytes]:
    spoiled = list(proof)
    place = chooser.randrange(len(spoiled))
    content = bytearray(spoiled[place])
    content[chooser.randrange(32)] ^= 1 << chooser.randrange(8)
    spoiled[place] = bytes(content)
    return spoiled


def test_roots_are_those_of_the_reference() -> None:
    assert [merkle.root(TREE.read, size) for size in range(SIZES)] == ROOTS


def test_root_of_the_certificate_transparency_test_tree() -> None:
    tree = merkle.Tree()
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    for leaf in leaves:
        tree.add(merkle.leaf_hash(bytes.fromhex(leaf)))
    assert len(tree) == 8
    assert merkle.root(tree.read, 8).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(1, SIZES))
def test_inclusion_is_proven_and_nothing_else(size: int) -> None:
    chooser = random.Random(size)
    for index in range(size):
        leaf = merkle.leaf_hash(LEAVES[index])
        proof = merkle.inclusion_proof(TREE.read, index, size)
        assert merkle.verify_inclusion(leaf, index, size, proof, ROOTS[size])
        assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, ROOTS[size])
        assert not merkle.verify_inclusion(leaf, index, size, (*proof, leaf), ROOTS[size])
        assert not merkle.verify_inclusion(leaf, index, size, proof, ROOTS[size - 1])
        assert not merkle.verify_inclusion(leaf, (index + 1) % (size + 1), size, proof, ROOTS[size])
        if proof:
            assert not merkle.verify_inclusion(leaf, index, size, flipped(proof, chooser), ROOTS[size])
            assert not merkle.verify_inclusion(leaf, index, size, proof[:-1], ROOTS[size])


@pytest.mark.parametrize("new", range(SIZES))
def test_consistency_is_proven_and_nothing_else(new: int) -> None:
    chooser = random.Random(new)
    for old in range(new + 1):
        proof = merkle.consistency_proof(TREE.read, old, new)
        assert merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)
        assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], (*proof, ROOTS[0]))
        assert not merkle.verify_consistency(old, new, merkle.leaf_hash(b"other"), ROOTS[new], proof)
        if proof:
            assert not merkle.verify_consistency(old, new, ROOTS[old], merkle.leaf_hash(b"other"), proof)
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], flipped(proof, chooser))
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], proof[:-1])
            assert not merkle.verify_consistency(old, new, ROOTS[old], ROOTS[new], ())


def test_numbers_and_hashes_out_of_range_prove_nothing() -> None:
    leaf = merkle.leaf_hash(LEAVES[0])
    assert not merkle.verify_inclusion(leaf, -1, 1, (), leaf)
    assert not merkle.verify_inclusion(leaf, 1, 1, (), leaf)
    assert not merkle.verify_inclusion(leaf, 0, 2, (b"short",), ROOTS[2])
    assert not merkle.verify_consistency(2, 1, ROOTS[2], ROOTS[1], ())
    assert not merkle.verify_consistency(-1, 1, ROOTS[0], ROOTS[1], ())
    assert not merkle.verify_consistency(1, 2, ROOTS[1], ROOTS[2], (b"short",))


def test_a_node_cannot_pass_as_a_leaf() -> None:
    inner = merkle.leaf_hash(LEAVES[0]) + merkle.leaf_hash(LEAVES[1])
    assert merkle.leaf_hash(inner) != ROOTS[2]
