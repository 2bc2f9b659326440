"""Lockgate: gates that open only on signed evidence, and a guard at runtime, for generative-AI applications.

The stable names are `lockgate.guard.Guard` (judge a text), `lockgate.core` (the contract for checks of your own)
and the `lockgate` command. Everything else may change between minor versions.
"""

__version__ = "0.1.0"
