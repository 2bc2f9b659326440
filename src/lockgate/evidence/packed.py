"""How an envelope lies in the ledger's file: taken out of its base64 and compressed. Digests are those of the envelope.

An envelope has one form only, so its parts are enough to write it again, byte by byte. Files that were written before
hold envelopes as they are, and are read as well.
"""

import msgspec
import zstandard

from lockgate.evidence import dsse
from lockgate.evidence.dsse import MAX_ENVELOPE, Envelope
from lockgate.evidence.errors import EvidenceError

_MAGIC = b"\x28\xb5\x2f\xfd"
_LEVEL = 3
_Parts = tuple[str, bytes, bytes]


def pack(envelope: Envelope) -> bytes:
    """What is stored for an envelope: key id, signature and payload as MessagePack in one Zstandard frame."""
    parts = msgspec.msgpack.encode((envelope.keyid, envelope.signature, envelope.payload))
    return zstandard.ZstdCompressor(level=_LEVEL).compress(parts)


def unpack(stored: bytes) -> bytes:
    """The envelope that is stored; one that was stored as it is comes back unchanged.

    Raises:
        EvidenceError: It is broken, followed by further bytes, or larger than an envelope may be.
    """
    if not stored.startswith(_MAGIC):
        return stored
    try:
        if zstandard.get_frame_parameters(stored).content_size > MAX_ENVELOPE:
            raise EvidenceError(f"A stored envelope is larger than {MAX_ENVELOPE:,} bytes, or does not say its size.")
        parts = zstandard.ZstdDecompressor().decompress(stored, allow_extra_data=False)
        keyid, signature, payload = msgspec.msgpack.decode(parts, type=_Parts)
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError) as error:
        raise EvidenceError("A stored envelope cannot be unpacked.") from error
    return dsse.wrap(Envelope(payload, keyid, signature))
