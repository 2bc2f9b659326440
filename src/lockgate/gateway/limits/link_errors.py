"""Why Redis does not answer."""


class LinkDownError(Exception):
    """Redis cannot be asked now; the text says why and holds no value."""


class ReplyError(Exception):
    """Redis refused a command; `code` is the first word of its answer, such as `NOSCRIPT`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Redis answered {code}")
        self.code = code
