"""Optuna with its costliest steps replaced by equal ones, so that a comparison of many seeds ends within hours.

What is suggested stays the same but for the last bits of a logarithm; `tests/search/test_quality.py` compares searches.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock
from weakref import WeakKeyDictionary

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial
from scipy.special import log_ndtr

from sweep.samplers.base import View
from sweep.samplers.history import history
from sweep.samplers.optuna import OptunaModel


@contextmanager
def light_optuna() -> Iterator[None]:
    """Told rows are made once per search, shared by studies and not checked again; log Φ is that of scipy."""
    storage = "optuna.storages._in_memory.copy"
    same = BaseDistribution.__eq__
    made: WeakKeyDictionary[OptunaModel, dict[int, FrozenTrial]] = WeakKeyDictionary()
    make = OptunaModel._finished

    def finished(model: OptunaModel, view: View) -> list[FrozenTrial]:
        known = made.setdefault(model, {})
        settings = model._settings
        rows = history(view.finished, settings.objective, settings.history)
        for trial in rows:
            if trial.number not in known:
                [known[trial.number]] = make(model, View([trial], (), ()))
        return [known[trial.number] for trial in rows]

    def equal(one: Any, other: Any) -> bool:
        return one is other or same(one, other)

    with ExitStack() as stack:
        for patch in (
            mock.patch.object(OptunaModel, "_finished", finished),
            mock.patch.object(FrozenTrial, "_validate"),
            mock.patch.object(BaseDistribution, "__eq__", equal),
            mock.patch(storage, SimpleNamespace(copy=copy.copy, deepcopy=copy.copy)),
            mock.patch("optuna.samplers._tpe._truncnorm._log_ndtr", log_ndtr),
        ):
            stack.enter_context(patch)
        yield
