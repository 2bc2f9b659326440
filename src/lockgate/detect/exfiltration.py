"""Finds links that carry data away when an answer is rendered: the browser fetches an image's address unasked."""

from lockgate.core import Span
from lockgate.detect.linear import pattern, project

_URL = r"https?://[^\s)>\"'?#]{1,120}"
_SHAPES = (
    # An image with anything but a size or a version in its query, or with a long opaque segment in its path.
    pattern(rf"!\[[^\]\n]{{0,100}}\]\(\s?<?{_URL}[?#][^\s)]{{0,60}}=[^\s)&=]{{0,200}}[A-Za-z%+_-][^\s)&]{{5,}}"),
    pattern(r"!\[[^\]\n]{0,100}\]\(\s?<?https?://[^\s)/]{1,100}/[^\s)]{0,60}[A-Za-z0-9+_%=-]{40,}"),
    pattern(rf"(?i)<img\b[^>]{{0,100}}\ssrc\s*=\s*[\"']?{_URL}[?#][^\s\"'>]{{0,60}}=[^\s\"'>]{{0,200}}[a-z%+_-][^\s\"'>&]{{5,}}"),
    # A link needs a click, so only a value that is long enough to be somebody's data counts.
    pattern(rf"\[[^\]\n]{{0,100}}\]\(\s?<?{_URL}\?(?:[^\s)=&]{{0,40}}=[^\s)&]{{0,100}}&){{0,3}}[^\s)=&]{{0,40}}=[^\s)&]{{24,}}"),
    pattern(rf"(?m)^\s{{0,3}}\[[^\]\n]{{1,60}}\]:\s?{_URL}\?[^\s=]{{0,40}}=[^\s&]{{12,}}"),
)  # fmt: skip


def find_exfiltration(text: str) -> tuple[Span, ...]:
    """Find markdown and HTML images and links whose address carries data.

    Returns:
        Sorted spans labelled `exfiltration.link`.
    """
    data = project(text)
    if b"://" not in data:
        return ()
    return tuple(
        sorted({Span(*match.span(), "exfiltration.link") for shape in _SHAPES for match in shape.finditer(data)})
    )
