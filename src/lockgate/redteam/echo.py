"""Telling what a target said from what it merely repeated."""

SHORTEST_ECHO = 20


def without_echo(reply: str, prompts: str, *, shortest: int = SHORTEST_ECHO) -> str:
    """Cut every verbatim copy of the prompts out of a reply, letter case and runs of white space aside.

    Linear in the lengths of both. A shorter copy stays: it may be the very word that the attack asked for.

    Args:
        reply: The target's words.
        prompts: The user's words.
        shortest: Code points from which a copy counts as an echo.

    Returns:
        The rest, case-folded, with single spaces; U+0000 stands where something was cut, so that nothing new arises
        from the ends.
    """
    said, typed = _plain(reply), _plain(prompts)
    copied = {typed[start : start + shortest] for start in range(len(typed) - shortest + 1)}
    kept: list[str] = []
    cut_until = 0
    for place, letter in enumerate(said):
        if said[place : place + shortest] in copied:
            cut_until = place + shortest
        if place >= cut_until:
            kept.append(letter)
        elif not kept or kept[-1] != "\x00":
            kept.append("\x00")
    return "".join(kept)


def _plain(text: str) -> str:
    return " ".join(text.casefold().replace("\x00", " ").split())
