"""What SLSA provenance v1 says about a recorded training job, as plain values.

Source: https://slsa.dev/spec/v1.1/provenance. `Provenance` describes the parameters of the build type.
"""

from typing import Any

import msgspec

from lockgate.core import SubjectRef
from lockgate.train.recording import Recording

BUILD_TYPE = "https://lockgate.dev/buildtypes/record/v1"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a provenance statement, each in the JSON shape that the specification gives it.

    Attributes:
        subjects: The products.
        build_type: How to read the parameters.
        external_parameters: What the project declared: command, inputs, output, timeout, settings file.
        internal_parameters: What Lockgate and the machine added: isolation, interpreter, platform, variables.
        resolved_dependencies: Resource descriptors of the materials, the commit and the installed distributions.
        started_on: UTC, ISO 8601.
        finished_on: UTC, ISO 8601.
        byproducts: Resource descriptors of the log and of what else the job left behind.
    """

    subjects: tuple[SubjectRef, ...]
    build_type: str
    external_parameters: dict[str, Any]
    internal_parameters: dict[str, Any]
    resolved_dependencies: tuple[dict[str, Any], ...]
    started_on: str
    finished_on: str
    byproducts: tuple[dict[str, Any], ...]


def to_provenance(recording: Recording) -> Provenance:
    """Turn a recording into the parts of a provenance statement."""
    environment = recording.environment
    return Provenance(
        subjects=recording.products,
        build_type=BUILD_TYPE,
        external_parameters={
            "command": list(recording.command),
            "inputs": list(recording.inputs),
            "output": recording.output,
            "timeoutSeconds": recording.timeout_s,
            "settings": _file(recording.policy),
        },
        internal_parameters={
            "isolation": recording.sandbox,
            "isolationReason": recording.sandbox_reason,
            "interpreter": environment.python,
            "platform": environment.platform,
            "variables": list(environment.variables),
            "inputsDifferFromCommit": recording.code.dirty if recording.code else None,
        },
        resolved_dependencies=_dependencies(recording),
        started_on=recording.started,
        finished_on=recording.finished,
        byproducts=(
            {
                "name": "log",
                "digest": {"sha256": recording.log.sha256},
                "mediaType": "text/plain",
                "annotations": {"bytes": recording.log.size, "exitCode": recording.exit_code},
            },
        ),
    )


def _dependencies(recording: Recording) -> tuple[dict[str, Any], ...]:
    files = tuple(_file(ref) for ref in recording.materials)
    commit = recording.code.commit if recording.code else ""
    code: tuple[dict[str, Any], ...] = ({"name": "commit", "digest": {"gitCommit": commit}},) if commit else ()
    packages = tuple({"uri": f"pkg:pypi/{item.name}@{item.version}"} for item in recording.environment.distributions)
    return (*files, *code, *packages)


def _file(ref: SubjectRef) -> dict[str, Any]:
    return {"name": ref.uri, "digest": {"sha256": ref.sha256}}
