"""Config: YAML in, checked and frozen values out.

Reading order: `document` (YAML with lines), `overrides`, `files` (paths), `model` and its sections, `explain` (errors),
`load`, `dump`, `schema`.
"""

from __future__ import annotations

from sweep.config.dump import dump, resolved
from sweep.config.load import home_folder, load, located, section
from sweep.config.market import MarketConfig
from sweep.config.model import Config
from sweep.config.schema import json_schema

__all__ = [
    "Config",
    "MarketConfig",
    "dump",
    "home_folder",
    "json_schema",
    "load",
    "located",
    "resolved",
    "section",
]
