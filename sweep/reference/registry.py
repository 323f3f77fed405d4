"""The Python twins of the native strategies, imported from the checkout."""

from __future__ import annotations

import importlib

from sweep.errors import error
from sweep.reference.strategy import ReferenceStrategy


def twin(strategy_id: str) -> ReferenceStrategy:
    """A new instance of the twin of a strategy: `TWIN` of `strategies/<id>/reference.py`.

    Raises [4001] where there is none, as in an installation without the checkout.
    """
    name = f"strategies.{strategy_id}.reference"
    try:
        if not strategy_id.isidentifier():
            raise ModuleNotFoundError(name=name)
        module = importlib.import_module(name)
    except ModuleNotFoundError as exception:
        if exception.name is None or not name.startswith(exception.name):
            raise
        raise error(
            4001,
            f"the Python twin of strategy {strategy_id!r} cannot be imported",
            where=name,
            remedy="run in a checkout of the project, with its root on PYTHONPATH, or use the engine rust",
        ) from exception
    strategy: ReferenceStrategy = module.TWIN()
    return strategy
