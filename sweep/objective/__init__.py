"""Metrics to objectives, constraints, outcomes and rankings."""

from __future__ import annotations

from sweep.objective.constraint import ResultConstraint
from sweep.objective.objective import PARAMETERS, Goal, Objective

__all__ = ["PARAMETERS", "Goal", "Objective", "ResultConstraint"]
