"""LG-SUPPLY-115."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.supply.code.subject import CodeFile
from lockgate.supply.errors import SupplyError

ABSENT = "Bandit is not installed. Install lockgate[code], or name LG-SUPPLY-115 as optional."


class ClassicRisk(Check[CodeFile], frozen=True):
    """Finds the classic security bugs of Python code, with bandit.

    Why it matters:
        Code around a model has the bugs of any code: weak hashes, shells with user input, temporary files that others
        can write, XML that reads local files.

    Fails on:
        A shell command is put together (needs the extra `code`):

            import subprocess
            subprocess.call("tar xf " + NAME, shell=True)

    Passes on:
        A program is called without a shell:

            import subprocess
            subprocess.call(["tar", "xf", NAME])

    Limits:
        Reports what bandit rates medium or high, both in severity and in confidence, without the rules that other
        checks here cover; comments that silence bandit do not count. Without the extra `code` the check is SKIPPED,
        and a policy decides whether that holds.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-115",
        title="Classic security bug",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM03:2025",
            "AML.T0010.001",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report what bandit found.

        Raises:
            SupplyError: Bandit is installed and could not look.
            SkippedError: Bandit is not installed.
        """
        if subject.classic_failed:
            raise SupplyError(subject.classic_failed)
        if subject.classic is None:
            raise SkippedError(ABSENT)
        for issue in subject.classic:
            yield self.finding(
                f"{issue.text} (bandit {issue.rule})",
                at=Location(subject.ref.uri, issue.place, issue.line),
                severity=Severity.HIGH if issue.severity == "HIGH" else Severity.MEDIUM,
                confidence=Confidence.HIGH if issue.confidence == "HIGH" else Confidence.MEDIUM,
            )
