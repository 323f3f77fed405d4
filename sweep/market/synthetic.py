"""The generated market, made in the native module: same bits on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.config.market import SyntheticConfig, micros

if TYPE_CHECKING:
    from sweep import _core


def generate(
    config: SyntheticConfig, spec: Mapping[str, Any], timeframe: str, more: Mapping[str, Any]
) -> _core.Market:
    """Bars of the synthetic model, version 1; `more` are options that do not concern the generator.

    Raises:
        SweepError: [1001] a timeframe or start off the grid, [1003] a value out of range.
    """
    from sweep import _core

    options = {key: value for key, value in config.model_dump(mode="json").items() if value is not None}
    options["start"] = micros(config.start)
    return _core.Market.synthetic(json.dumps({"spec": dict(spec), "timeframe": timeframe, **options, **more}))
