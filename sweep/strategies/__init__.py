"""Strategies that users write in Python: `signals`, a vectorised function, and `python`, a class that runs bar by bar.

Reading order: `declaration` (what a strategy says about its parameters) → `function` and `bar` (the two kinds) → `code`
(a strategy in a file, as text that travels to workers) → `arrays` (the market as a function sees it) → `tables` (what it
returned, checked) → `lookahead`.
"""

from __future__ import annotations

from sweep.strategies.code import Code
from sweep.strategies.declaration import Param, UserStrategy

__all__ = ["Code", "Param", "UserStrategy"]
