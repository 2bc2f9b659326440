"""Every check of the data stage."""

from typing import Never

from lockgate.core import Check
from lockgate.data.broken_row import BrokenRow
from lockgate.data.hidden_instruction import HiddenInstruction
from lockgate.data.judged_document import AttackInDocument
from lockgate.data.manifest_mismatch import ManifestMismatch
from lockgate.data.personal_data import PersonalDataInRow
from lockgate.data.repeated_row import RepeatedRow
from lockgate.data.secret import SecretInData

CHECKS: tuple[type[Check[Never]], ...] = (
    ManifestMismatch,
    SecretInData,
    PersonalDataInRow,
    HiddenInstruction,
    BrokenRow,
    RepeatedRow,
    AttackInDocument,
)
