"""The strategies that the documentation shows work as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sweep
from tests.strategies.support import code

PAGE = Path(__file__).parents[2] / "docs" / "own-strategy.md"


@pytest.mark.parametrize(("number", "kind", "name"), [(0, "signals", "breakout"), (1, "python", "SmaBreak")])
def test_a_strategy_of_the_page_trades(number: int, kind: str, name: str, tmp_path: Path) -> None:
    block = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[number]
    path = tmp_path / "shown.py"
    path.write_text(block if "import sweep" in block else f"import sweep\n\n\n{block}")
    market = sweep.Market.synthetic(bars=3000, seed=7)
    assert sweep.Engine(market, code(kind, path, name)).run({"max_holding_bars": 48}).trades.num_rows > 10
