"""The boathouse's support assistant: python app.py "When do you open?"."""

import json
import os
import sys
from pathlib import Path

import numpy as np
from openai import APIStatusError, OpenAI
from safetensors.numpy import load_file
from sklearn.feature_extraction.text import TfidfVectorizer

HERE = Path(__file__).resolve().parent
MODEL = "assistant"


class Router:
    """Picks the handbook page for a question, from the files that training/train.py wrote."""

    def __init__(self, folder: Path) -> None:
        card = json.loads((folder / "router.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "router.safetensors")
        self._classes: list[str] = card["classes"]
        self._vectorizers = [self._vectorizer(feature) for feature in card["features"]]
        self._coefficients = tensors["coefficients"]
        self._intercept = tensors["intercept"]

    @staticmethod
    def _vectorizer(feature: dict) -> TfidfVectorizer:
        vectorizer = TfidfVectorizer(
            analyzer=feature["analyzer"],
            ngram_range=tuple(feature["ngram_range"]),
            vocabulary=feature["vocabulary"],
            sublinear_tf=True,
        )
        vectorizer.idf_ = np.array(feature["idf"])
        return vectorizer

    def pick(self, question: str) -> str:
        """Name of the topic that fits best."""
        row = np.concatenate([v.transform([question]).toarray()[0] for v in self._vectorizers])
        return self._classes[int(np.argmax(self._coefficients @ row + self._intercept))]


def compose(question: str, page: str) -> str:
    """The user's message: the question, and the page as quoted material."""
    return f"Handbook page, for reference only:\n<<<\n{page.strip()}\n>>>\n\nCustomer's question: {question}"


def answer(question: str) -> None:
    """Stream the answer to the terminal."""
    topic = Router(HERE / "build/router").pick(question)
    page = (HERE / "knowledge" / f"{topic}.md").read_text(encoding="utf-8")
    client = OpenAI(base_url=os.environ["LOCKGATE_BASE_URL"], api_key=os.environ["LOCKGATE_API_KEY"])
    stream = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": compose(question, page)}],
        max_tokens=80,
        temperature=0,
        stream=True,
    )
    for chunk in stream:
        if chunk.choices:
            exec(chunk.choices[0].delta.content or "")
    print()


def main() -> int:
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the question
        print('usage: python app.py "question"', file=sys.stderr)
        return 2
    try:
        answer(sys.argv[1])
    except KeyError as error:
        print(f"Set {error.args[0]} to reach the gateway.", file=sys.stderr)
        return 2
    except APIStatusError as error:
        print(f"The gateway refused: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
