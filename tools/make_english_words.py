"""Writes `english.txt`, the words that a misspelled English text is read by, from our own corpus.

    python tools/make_english_words.py

A word counts once for each group of rows that it stands in, so that no text with many twins makes a word frequent.
"""

import collections
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = ROOT / "src/lockgate/detect/english.txt"
_LEAST_GROUPS = 3
_WORD = re.compile(r"(?<![^\W_])[a-z]{2,16}(?![^\W_])")
_SPELLED_OTHERWISE = "obfuscated"


def frequent() -> list[str]:
    """Words in lower case, the most frequent first."""
    groups: dict[str, set[str]] = collections.defaultdict(set)
    for path in sorted((ROOT / "corpus/guard").glob("*.jsonl")):
        # Not `splitlines`: a text may hold other line separators.
        for line in path.read_text(encoding="utf-8").split("\n"):
            row = json.loads(line or "{}")
            if row.get("lang") == "en" and row.get("family") != _SPELLED_OTHERWISE:
                for word in set(_WORD.findall(row["text"].lower())):
                    groups[word].add(row["group"])
    kept = [word for word, found in groups.items() if len(found) >= _LEAST_GROUPS]
    return sorted(kept, key=lambda word: (-len(groups[word]), word))


if __name__ == "__main__":
    words = frequent()
    WRITTEN.write_text("\n".join(words) + "\n")
    print(f"{len(words):,} words.")
