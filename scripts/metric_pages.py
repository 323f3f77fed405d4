"""Write docs/metrics.md from the catalogue in Rust: `metric_pages.py [FILE]`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sweep.metrics import describe

TARGET = Path(__file__).parents[1] / "docs" / "metrics.md"
HEAD = """# Metrics

This page is made from the catalogue in Rust by `make docs`; `sweep.metrics.describe()` gives the same as a list of dicts.

A metric that is undefined is null, never 0, and never wins a search; counts and sums of nothing are true zeros. Values
are not rounded. Everything is net of all costs except R multiples, which contain spread and slippage but no commission.

- E_0 is the initial balance, E_1 … E_n are the equity samples, one per traded bar, H_k = max(E_0 … E_k).
- D_0 = E_0, D_1 … D_m is the last sample of each trading day that has bars; r_j = D_j/D_{j−1} − 1.
- P is `periods_per_year`, f = `metrics.risk_free_annual`/P.
- A trade is a closed position together with its partial exits: net = Σ(result − fees), R = Σ(r_multiple·risk)/Σ risk,
  N = net/money at risk. T is the number of trades.
- sd_1 is the standard deviation with divisor n − 1; a deviation up to 1e-15 counts as zero.
- `cagr_pct` and `calmar_ratio`, the only ones that need a power, are left out of digests.

| metric | unit | definition | null when |
|---|---|---|---|"""


def page(rows: list[dict[str, Any]]) -> str:
    """The document."""
    return "\n".join([HEAD, *(_row(row) for row in rows), ""])


def _row(row: Mapping[str, Any]) -> str:
    cells = (row["unit"], row["definition"], row["null_when"])
    return (
        f"| `{row['name']}` | "
        + " | ".join(cell.replace("|", "\\|").replace("*", "·") for cell in cells)
        + " |"
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(page(describe()), encoding="utf-8")
