"""A study: one search, its folder, its ledger.

Reading order: `study` (what users call), `plan` (everything checked before anything is written), `snapshot` (what a
resume compares), `folder` (names, creation), `drive` (one run: workers, pipeline, projections), `interrupts`,
`report` (how far it is), `dry_run`.
"""

from __future__ import annotations

from sweep.study.folder import find, names
from sweep.study.interrupts import Interrupted
from sweep.study.report import Best, Report
from sweep.study.study import Study

__all__ = ["Best", "Interrupted", "Report", "Study", "find", "names"]
