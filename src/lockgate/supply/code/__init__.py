"""Examines Python code, notebooks and MCP settings for what endangers applications around language models.

Nothing is imported or run: files are parsed into syntax trees within bounds, and values are followed through them.
"""

from lockgate.supply.code.catalog import CHECKS
from lockgate.supply.code.facts import read_facts
from lockgate.supply.code.scan import LeftOut, ScannedCode, is_code, scan_code, scan_entries
from lockgate.supply.code.subject import CodeFile

__all__ = ["CHECKS", "CodeFile", "LeftOut", "ScannedCode", "is_code", "read_facts", "scan_code", "scan_entries"]
