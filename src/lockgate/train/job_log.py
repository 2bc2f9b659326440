"""The end of what a job printed, fit for a terminal and a report."""

from lockgate.detect.secrets import find_secrets
from lockgate.train.process import TAIL_BYTES, Ended
from lockgate.train.recording import JobLog

SHOWN_CHARS = 8_000


def job_log(ended: Ended) -> JobLog:
    """Keep the digest of the whole log and its end: no secrets, no control characters that a terminal would obey."""
    tail = ended.tail
    if ended.size > TAIL_BYTES:
        # The first line is cut, and half a secret is not recognised as one.
        tail = tail.partition(b"\n")[2]
    text = tail.decode("utf-8", "replace")
    for span in sorted(find_secrets(text), reverse=True):
        text = f"{text[: span.start]}[SECRET]{text[span.end :]}"
    shown = "".join(char for char in text if char.isprintable() or char in "\n\t")
    return JobLog(ended.sha256, ended.size, shown[-SHOWN_CHARS:])
