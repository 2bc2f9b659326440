"""Train the topic router: which handbook page answers a question?

TF-IDF over words and over characters within words, then multinomial logistic regression. The result is two files
without executable content: coefficients as safetensors, everything else as JSON. The same rows give the same bytes.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

FEATURES = (
    {"analyzer": "word", "ngram_range": (1, 2)},
    {"analyzer": "char_wb", "ngram_range": (2, 4)},
)
HOLD_OUT_EVERY = 5
DIGITS = 4  # the solver's last digits depend on the processor; they are cut off so that the bytes do not


def fit(questions: list[str], topics: list[str]) -> tuple[list[TfidfVectorizer], LogisticRegression]:
    """Fit the vectorizers and the classifier."""
    vectorizers = [
        TfidfVectorizer(**settings, lowercase=True, sublinear_tf=True, min_df=2, dtype=np.float64)
        for settings in FEATURES
    ]
    matrix = hstack([vectorizer.fit_transform(questions) for vectorizer in vectorizers]).tocsr()
    classifier = LogisticRegression(C=10.0, tol=1e-8, max_iter=2000)
    return vectorizers, classifier.fit(matrix, topics)


def transform(vectorizers: list[TfidfVectorizer], questions: list[str]) -> csr_matrix:
    """Turn questions into rows of the matrix that the classifier expects."""
    return hstack([vectorizer.transform(questions) for vectorizer in vectorizers]).tocsr()


def held_out_accuracy(questions: list[str], topics: list[str]) -> float:
    """Accuracy on every fifth row of a model that was trained on the others."""
    held_out = [index % HOLD_OUT_EVERY == 0 for index in range(len(questions))]
    pairs = list(zip(questions, topics, held_out, strict=True))
    train = [(question, topic) for question, topic, held in pairs if not held]
    test = [(question, topic) for question, topic, held in pairs if held]
    vectorizers, classifier = fit([question for question, _ in train], [topic for _, topic in train])
    predicted = classifier.predict(transform(vectorizers, [question for question, _ in test]))
    return float(np.mean(predicted == np.array([topic for _, topic in test])))


def describe(vectorizer: TfidfVectorizer) -> dict[str, object]:
    """What is needed to rebuild a vectorizer, in column order."""
    return {
        "analyzer": vectorizer.analyzer,
        "ngram_range": list(vectorizer.ngram_range),
        "vocabulary": vectorizer.get_feature_names_out().tolist(),
        "idf": [round(float(value), DIGITS) for value in vectorizer.idf_],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the topic router.")
    parser.add_argument("--rows", type=Path, required=True, help="JSON lines with question and topic")
    parser.add_argument("--out", type=Path, required=True, help="folder for router.safetensors and router.json")
    arguments = parser.parse_args()

    body = arguments.rows.read_bytes()
    rows = sorted((json.loads(line) for line in body.splitlines() if line.strip()), key=lambda row: row["id"])
    questions = [row["question"] for row in rows]
    topics = [row["topic"] for row in rows]
    accuracy = held_out_accuracy(questions, topics)
    vectorizers, classifier = fit(questions, topics)

    arguments.out.mkdir(parents=True, exist_ok=True)
    tensors = {
        "coefficients": np.ascontiguousarray(classifier.coef_.round(DIGITS), dtype=np.float32),
        "intercept": np.ascontiguousarray(classifier.intercept_.round(DIGITS), dtype=np.float32),
    }
    save_file(tensors, arguments.out / "router.safetensors")
    card = {
        "version": 1,
        "classes": classifier.classes_.tolist(),
        "features": [describe(vectorizer) for vectorizer in vectorizers],
        "rows": len(rows),
        "rows_sha256": hashlib.sha256(body).hexdigest(),
        "held_out_accuracy": round(accuracy, DIGITS),
    }
    text = json.dumps(card, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (arguments.out / "router.json").write_text(text, encoding="utf-8")
    print(f"trained on {len(rows)} rows, {tensors['coefficients'].shape[1]} features, {len(card['classes'])} topics")
    print(f"held-out accuracy {accuracy:.3f} (every fifth row); wrote {arguments.out.as_posix()}")


if __name__ == "__main__":
    main()
