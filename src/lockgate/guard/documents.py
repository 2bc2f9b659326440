"""What in a document reads like an attack: for whoever examines documents before a model is given them."""

from lockgate.core import Origin, Span
from lockgate.guard.suspicion import suspect
from lockgate.guard.weights import load_classifier

_SENSITIVITY = "permissive"


def judge_document(text: str) -> tuple[Span, ...]:
    """The place in a section of a document that reads most like an attack; nothing where the section does not.

    Judged as the guard judges documents at `permissive`, since many sections are looked at and few are attacks.

    Args:
        text: A few thousand characters; of a longer text a smaller share is read.

    Raises:
        GuardError: The weights are not installed.
    """
    classifier = load_classifier()
    found = suspect(text, Origin.DOCUMENT, classifier)
    if found.score < classifier.calibration.thresholds[_SENSITIVITY]:
        return ()
    best = max(found.spans, key=lambda span: span.score, default=Span(0, len(text), "injection.model", found.score))
    return (Span(best.start, best.end, best.label, found.score),)
