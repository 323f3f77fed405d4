"""Markets: bars of one dataset, bid and ask, checked, with a content digest.

Reading order: `market` (what the engine gets), `load` (from a config), `source` and `parquet` (files to raw tables),
`contract` (raw tables to bars), `synthetic`, `specs`.
"""

from __future__ import annotations

from sweep.market.load import load
from sweep.market.market import Market

__all__ = ["Market", "load"]
