"""The batch loop between sampler, workers and ledger; it sees only the bases of these families.

Reading order: `loop` (the pipeline), `batch` (one open batch, grading, the spool's form), `records` (what a batch was
proposed from), `rules` (what the loop is told, and how it ended), `stops` (the stop rules), `halving` (which trials
go on to the next pruning level), `retry` (environment failures run again).
"""

from __future__ import annotations

from sweep.pipeline.halving import Halving
from sweep.pipeline.loop import Pipeline
from sweep.pipeline.rules import Ending, Rules

__all__ = ["Ending", "Halving", "Pipeline", "Rules"]
