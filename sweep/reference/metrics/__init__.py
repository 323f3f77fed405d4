"""The metrics of a backtest in canonical order.

Reading order: `calendar` (trading days), `inputs`, then one file per family; `catalogue` lists them all.
"""

from __future__ import annotations

from sweep.reference.metrics.catalogue import CATALOGUE, Metric, compute
from sweep.reference.metrics.inputs import Inputs

__all__ = ["CATALOGUE", "Inputs", "Metric", "compute"]
