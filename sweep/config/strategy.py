"""The section `strategy`: which rules, and which of their parameters are pinned."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sweep.config.base import Name, NotBuilt, Section, Values


class StrategyConfig(Section):
    """A native strategy by name; `params` pins parameters, the rest is searched."""

    name: Name
    params: Values = Field(default_factory=dict)
    signals: Annotated[Any, NotBuilt()] = Field(default=None, exclude=True)
    python: Annotated[Any, NotBuilt()] = Field(default=None, exclude=True)
    lookahead_check: Annotated[Any, NotBuilt(("on",))] = Field(default=None, exclude=True)
