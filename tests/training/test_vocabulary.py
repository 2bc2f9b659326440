"""The smaller vocabulary is a SentencePiece model that needs nothing but SentencePiece."""

import sentencepiece
from training.vocabulary import chosen, distinct, serialised

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
PIECES = [*SPECIAL, "▁", "▁ignore", "▁all", "▁Regeln", "a", "あ", "▁all", "<mask>", "▁rare"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -5.0, -4.0, -9.0, -6.0, -15.0, -7.0, 0.0, -16.0]


def test_the_model_is_built_and_reads() -> None:
    kept = distinct(PIECES)
    model = serialised([PIECES[i] for i in kept], [SCORES[i] for i in kept])
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    assert pieces.encode("ignore  all Regeln", out_type=str) == ["▁ignore", "▁all", "▁Regeln"]
    assert [pieces.bos_id(), pieces.pad_id(), pieces.eos_id(), pieces.unk_id()] == [0, 1, 2, 3]
    assert pieces.encode("ж") == [kept.index(4), 3]
    # What a text spells out is no marker.
    assert not {0, 1, 2} & set(pieces.encode("<s></s><pad>"))


def test_repetitions_and_the_mask_are_left_out() -> None:
    assert distinct(PIECES) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12]


def test_used_frequent_and_single_pieces_are_kept() -> None:
    pieces = [*SPECIAL, *(f"▁word{n}" for n in range(44_010)), "ж", "☃"]
    scores = [0.0] * 4 + [-5.0 - n / 10_000 for n in range(44_010)] + [-15.0, -16.0]
    kept = chosen(pieces, scores, range(len(pieces)), often={44_012})
    assert kept == [*range(44_004), 44_012, pieces.index("ж")]
