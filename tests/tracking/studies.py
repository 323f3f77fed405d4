"""One small finished study on the synthetic market, run once per session through the whole path."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sweep.study import Study
from tests.tracking import stores

CONFIG: dict[str, Any] = {
    "study": "small",
    "market": {"synthetic": {"bars": 6000, "seed": 7}},
    "strategy": {"name": "ma_cross"},
    "search": {"sampler": "random", "trials": 96, "batch_size": 32, "seed": 3},
    "costs": {"slippage": {"random_pips": 0.3}, "commission": {"schema": "per_lot", "per_lot": 2.5}},
    "min_trades": 5,
    "compute": {"backend": "local", "workers": 1},
}


@functools.cache
def finished() -> Study:
    """The study; tests read it and never write into its folder."""
    home = Path(tempfile.mkdtemp(prefix="sweep-study-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    stores.fresh(home)
    return Study.run(CONFIG, home=home)


def home_of(study: Study) -> Path:
    """The SWEEP_HOME of a study."""
    return study.folder.parents[1]
