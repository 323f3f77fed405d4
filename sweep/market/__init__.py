"""Markets: bars of one dataset, bid and ask, checked, with a content digest.

Reading order: `market` (what the engine gets), `load` (from a config), `source`, `parquet`, `csv`, `ipc` (files to raw
tables), `contract` and `times` (raw tables to bars and ticks), `synthetic`, `specs`, `cache` (imported data, stored
once), `check`, `describe`, `charts`, `export`.
"""

from __future__ import annotations

from sweep.market.load import load, load_rates
from sweep.market.market import Market

__all__ = ["Market", "load", "load_rates"]
