"""Every check of the train stage."""

from typing import Never

from lockgate.core import Check
from lockgate.train.changed_input import ChangedInput
from lockgate.train.code_format import CodeFormatProduct
from lockgate.train.empty_output import EmptyOutput
from lockgate.train.failed_job import FailedJob
from lockgate.train.no_isolation import UnisolatedJob

CHECKS: tuple[type[Check[Never]], ...] = (
    FailedJob,
    CodeFormatProduct,
    UnisolatedJob,
    ChangedInput,
    EmptyOutput,
)
