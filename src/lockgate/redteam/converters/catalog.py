"""Every converter, in the order in which plans use them."""

from lockgate.redteam.converters.converter import Converter
from lockgate.redteam.converters.disguises import DISGUISES
from lockgate.redteam.converters.encodings import ENCODINGS
from lockgate.redteam.converters.wrappers import LANGUAGES, WRAPPERS
from lockgate.redteam.errors import RedteamError

CONVERTERS: tuple[Converter, ...] = (*DISGUISES, *ENCODINGS, *WRAPPERS, *LANGUAGES)


def converter_named(name: str) -> Converter:
    """The converter of a name.

    Raises:
        RedteamError: There is none.
    """
    for converter in CONVERTERS:
        if converter.id == name:
            return converter
    raise RedteamError(f"There is no converter {name!r}.", remedy="'lockgate redteam --list' names all of them.")
