import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_list_of_english_words_is_what_our_corpus_gives():
    made = runpy.run_path(str(ROOT / "tools/make_english_words.py"))
    listed = (ROOT / "src/lockgate/detect/english.txt").read_text(encoding="ascii").splitlines()
    assert listed == made["frequent"](), "Run 'python tools/make_english_words.py'."
