"""Golden results: recorded once, and then they must not change.

A golden folder holds `golden.json` (the list of its cases) and one folder per case with `case.json` (what was run) and
`expected.json` (what came out). Only `record` writes. Reading order: `case`, `record`, `check`,
`compare`.
"""

from __future__ import annotations

from sweep.golden.check import Check, check, log_check
from sweep.golden.compare import compare, compare_folders
from sweep.golden.record import record

__all__ = ["Check", "check", "compare", "compare_folders", "log_check", "record"]
