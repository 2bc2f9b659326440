"""The part of cedarpy that Lockgate uses; its own stub leaves the results' types open."""

from collections.abc import Mapping, Sequence

class PolicySet:
    @staticmethod
    def from_str(s: str) -> PolicySet: ...
    def __len__(self) -> int: ...

class Diagnostics:
    errors: list[str]
    reasons: list[str]

class AuthzResult:
    allowed: bool
    diagnostics: Diagnostics

class ValidationError:
    policy_id: str
    error: str

class ValidationResult:
    validation_passed: bool
    errors: list[ValidationError]

def is_authorized(
    request: Mapping[str, object], policies: PolicySet, entities: Sequence[Mapping[str, object]]
) -> AuthzResult: ...
def validate_policies(policies: str, schema: str) -> ValidationResult: ...
def policies_to_json_str(policies: str) -> str: ...
