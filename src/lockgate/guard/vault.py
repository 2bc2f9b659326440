"""Keeps what was redacted, so that tokens in an answer can be turned back into the values that they stand for."""

from collections import OrderedDict
from threading import Lock

from lockgate.core import Span
from lockgate.detect.linear import pattern, project
from lockgate.guard.errors import GuardError
from lockgate.guard.redact import PLACEHOLDERS, Redacted, placeholder, redact

_LITERAL = "TEXT"
_KINDS = sorted({name.strip("[]") for name in PLACEHOLDERS} | {_LITERAL})
# Models escape underscores and brackets when they write markdown.
_TOKEN = pattern(rf"\[(?:{'|'.join(_KINDS)})\\?_[0-9]{{1,9}}\\?\]")
_MAX_TOKEN = max(map(len, _KINDS)) + 14
_LITERAL_LABEL = "vault.text"
_REVERSIBLE = ("pii.", "secret.", _LITERAL_LABEL)

Entries = tuple[tuple[str, str], ...]
"""Tokens and their values, in the order in which they were given out."""


class Vault:
    """The values of one conversation. Safe to use from several threads; nothing of it shows in a `repr`.

    A value gets the same token every time. A text that holds something like a token of its own gets a token for that
    too, so `restore(redact(text, spans).text)` is the text whatever it holds, and nobody can call up a value by writing
    its token into a document. Keep one vault for each conversation: a token means nothing in any other.

    Args:
        max_values: Most values that are kept; then `redact` refuses.
        max_chars: Most characters of values that are kept, all together.
        entries: What a vault held earlier.

    Raises:
        GuardError: There are more entries than may be kept, or one is no token.
    """

    def __init__(self, *, max_values: int = 10_000, max_chars: int = 4_000_000, entries: Entries = ()) -> None:
        self._lock = Lock()
        self._max_values = max_values
        self._max_chars = max_chars
        self._tokens: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._chars = 0
        for token, value in entries:
            self._enter(token, value)

    def __repr__(self) -> str:
        return f"Vault({len(self)} values)"

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    @property
    def entries(self) -> Entries:
        """All tokens with their values, in order, to be stored where nobody else reads them."""
        with self._lock:
            return tuple(self._values.items())

    def redact(self, text: str, spans: tuple[Span, ...]) -> Redacted:
        """Replace `spans` of `text` by tokens such as `[EMAIL_1]`, and what looks like a token by `[TEXT_1]`.

        Personal data and secrets come back. What an answer may not hold (protected values, unsafe markup and its like)
        gets a placeholder that nothing turns back.

        Raises:
            GuardError: The vault is full; send the text with ordinary placeholders, or not at all.
        """
        literal = tuple(Span(start, end, _LITERAL_LABEL) for start, end in tokens(text))
        with self._lock:
            return redact(text, (*spans, *literal), self._token)

    def restore(self, text: str) -> str:
        """Replace the tokens of this vault in `text` by their values; once, so that a value's own tokens stay."""
        parts: list[str] = []
        position = 0
        with self._lock:
            for start, end in tokens(text):
                value = self._values.get(text[start:end].replace("\\", ""))
                if value is not None:
                    parts.extend((text[position:start], value))
                    position = end
        return "".join((*parts, text[position:]))

    def clear(self) -> None:
        """Forget everything; tokens that were given out mean nothing any more."""
        with self._lock:
            self._tokens.clear()
            self._values.clear()
            self._chars = 0

    def _token(self, label: str, value: str) -> str:
        if not label.startswith(_REVERSIBLE):
            return placeholder(label)
        kind = _LITERAL if label == _LITERAL_LABEL else placeholder(label).strip("[]")
        known = self._tokens.get((kind, value))
        if known:
            return known
        token = f"[{kind}_{self._counts.get(kind, 0) + 1}]"
        self._enter(token, value)
        return token

    def _enter(self, token: str, value: str) -> None:
        if tokens(token) != ((0, len(token)),) or token in self._values:
            raise GuardError("The vault's entries are damaged.", remedy="Start with an empty vault.")
        if len(self._values) >= self._max_values or self._chars + len(value) > self._max_chars:
            raise GuardError("The vault is full.", remedy="Raise its limits, or start a new conversation.")
        kind, _, number = token.strip("[]").rpartition("_")
        self._tokens[kind, value] = token
        self._values[token] = value
        self._counts[kind] = max(self._counts.get(kind, 0), int(number))
        self._chars += len(value)


class Vaults:
    """Vaults by conversation, of which the one that was not used for longest is forgotten first.

    Args:
        max_conversations: Most conversations that are kept.
        max_values: Most values of each.
    """

    def __init__(self, *, max_conversations: int = 1000, max_values: int = 1000) -> None:
        self._lock = Lock()
        self._max_conversations = max_conversations
        self._max_values = max_values
        self._vaults: OrderedDict[str, Vault] = OrderedDict()

    def __repr__(self) -> str:
        return f"Vaults({len(self._vaults)} conversations)"

    def of(self, conversation: str) -> Vault:
        """The vault of a conversation, new if there is none.

        Args:
            conversation: An id that the application chose and that binds the caller, never one that a caller may pick.
        """
        with self._lock:
            vault = self._vaults.setdefault(conversation, Vault(max_values=self._max_values))
            self._vaults.move_to_end(conversation)
            if len(self._vaults) > self._max_conversations:
                self._vaults.popitem(last=False)
            return vault

    def forget(self, conversation: str) -> None:
        """Forget a conversation."""
        with self._lock:
            self._vaults.pop(conversation, None)


class RestoringStream:
    """Turns tokens back in an answer that arrives in pieces, however they are cut.

    Args:
        vault: The conversation's vault.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._kept = ""

    def push(self, chunk: str) -> str:
        """Take the next piece and return what may be shown now: all but the beginning of what may become a token."""
        self._kept += chunk
        place = self._kept.rfind("[")
        unfinished = place >= 0 and len(self._kept) - place < _MAX_TOKEN and "]" not in self._kept[place:]
        cut = place if unfinished else len(self._kept)
        ready, self._kept = self._kept[:cut], self._kept[cut:]
        return self._vault.restore(ready)

    def finish(self) -> str:
        """Return what was kept back; the answer is complete."""
        ready, self._kept = self._kept, ""
        return self._vault.restore(ready)


def tokens(text: str) -> tuple[tuple[int, int], ...]:
    """Where something stands in `text` that has the shape of a token, whether a vault knows it or not."""
    if "[" not in text:
        return ()
    return tuple(match.span() for match in _TOKEN.finditer(project(text)))
