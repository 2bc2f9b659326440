"""What the checks of this stage look at, besides the recording itself."""

import msgspec

from lockgate.core import SubjectRef


class Product(msgspec.Struct, frozen=True):
    """A file that the job wrote.

    Attributes:
        ref: The file.
        code_format: Name of its format if that can run code when it is loaded, else empty.
    """

    ref: SubjectRef
    code_format: str


class Material(msgspec.Struct, frozen=True):
    """A file that the job read.

    Attributes:
        ref: The file, with the digest of the bytes that the job read.
        examined: Its digest when the data gate examined it, None when the data gate did not see it.
        changed: Whether it was altered while the job ran.
    """

    ref: SubjectRef
    examined: str | None
    changed: bool
