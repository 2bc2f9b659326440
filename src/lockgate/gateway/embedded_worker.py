"""The process in which an embedded model runs, started as a script so that it loads the runtime and nothing else.

It reads one line of JSON from standard input (`model`, `context`, `api_key`, `reuse`), answers one line on standard
output (`address` or `error`), and ends when standard input does, so that it never outlives the program that started it.
"""

import json
import os
import signal
import sys
from typing import TextIO

BAD_MODEL = "model"
NO_RUNTIME = "runtime"


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp may print; only the one answer belongs on standard output
    order = json.loads(sys.stdin.readline())
    try:
        import xllamacpp  # noqa: PLC0415 - an optional extra, and only this process needs it
    except ImportError:
        _answer(answers, {"error": NO_RUNTIME})
        return
    parameters = xllamacpp.CommonParams()
    parameters.model.path = order["model"]
    parameters.n_ctx = order["context"]
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_threads_http = 2
    parameters.ui = False
    parameters.verbosity = -1
    parameters.api_keys = [order["api_key"]]
    if not order["reuse"]:
        # Where a prompt is cut decides how its numbers are rounded, so what is left of earlier ones changes answers.
        parameters.cache_prompt = False  # pyright: ignore[reportAttributeAccessIssue] - its stubs are older than it
        parameters.cache_ram_mib = 0  # pyright: ignore[reportAttributeAccessIssue] - likewise
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError:
        _answer(answers, {"error": BAD_MODEL})
        return
    _answer(answers, {"address": server.listening_address})
    while sys.stdin.read(1):
        pass
    os._exit(0)  # the parent is done with it: nothing here needs a tidy end


def _answer(answers: TextIO, document: dict[str, str]) -> None:
    answers.write(json.dumps(document) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
