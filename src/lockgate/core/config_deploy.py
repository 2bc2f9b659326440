"""Settings of `deploy`: what the project says about its release. What it must say stands in the trust file."""

from typing import Annotated

import msgspec
from msgspec import Meta

_Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$(?!\\n)", description="SHA-256 digest, 64 lower-case hex digits.")]
_Text = Annotated[str, Meta(min_length=1)]
_Number = Annotated[int, Meta(ge=1, le=1 << 53)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class SigstoreSignerConfig(_Section, frozen=True, kw_only=True):
    """Somebody who may sign through Sigstore.

    Attributes:
        identity: Their e-mail address or the URI of their workflow, in full.
        identity_pattern: The same with `*` for letters, digits, `.`, `_`, `+` and `-`, instead of `identity`.
        issuer: URL of the issuer of identity tokens that vouches for that name.
    """

    identity: str = ""
    identity_pattern: str = ""
    issuer: _Text


class SigstoreConfig(_Section, frozen=True, kw_only=True):
    """Who, beside the trusted keys, may have signed through Sigstore. Nothing is asked over the network.

    Attributes:
        trust_root: File inside the project with the instance's authorities and logs: its `trusted_root.json`, or a
            client trust configuration.
        trust_root_sha256: What that file must be.
        signers: Who may have signed.
    """

    trust_root: _Text
    trust_root_sha256: _Sha256
    signers: Annotated[tuple[SigstoreSignerConfig, ...], Meta(min_length=1)]


class SignatureConfig(_Section, frozen=True, kw_only=True):
    """A model, data set or prompt that its maker has signed (OpenSSF model-signing).

    Attributes:
        path: The file or folder inside the project.
        signature: Its signature file inside the project; by default `model.sig` in a folder, or `FILE.sig`.
        ignore: Paths below the folder that the signature need not cover.
        sigstore: Who may have signed it through Sigstore. Counts where the trust file names them too, or pins this
            settings file.
    """

    path: _Text
    signature: str = ""
    ignore: tuple[_Text, ...] = ()
    sigstore: SigstoreConfig | None = None


class LineageConfig(_Section, frozen=True, kw_only=True):
    """What a model was made from, by digest. Deployment holds unless the evidence says the same.

    Attributes:
        model: The model's file or folder.
        base: Digests of the models that it descends from.
        data: Digests of the data sets that it learned from.
    """

    model: _Text
    base: tuple[_Sha256, ...] = ()
    data: tuple[_Sha256, ...] = ()


class DeployConfig(_Section, frozen=True, kw_only=True):
    """What the project says about its release.

    Attributes:
        release: Number of this release. It never goes down, and one number never stands for two contents.
        policy_id: Name of the policy that this file is.
        policy_version: Version of that policy, which goes up with every change that its owner means.
        signatures: What must carry a valid signature of its maker.
        lineage: What models were made from.
    """

    release: _Number | None = None
    policy_id: str = ""
    policy_version: Annotated[int, Meta(ge=0, le=1 << 53)] = 0
    signatures: tuple[SignatureConfig, ...] = ()
    lineage: tuple[LineageConfig, ...] = ()


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    DeployConfig,
    SignatureConfig,
    SigstoreConfig,
    SigstoreSignerConfig,
    LineageConfig,
)
"""Every mapping of this part, for suggestions."""
