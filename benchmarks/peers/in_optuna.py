"""Optuna's TPE in memory over vectorbt: one trial at a time, as a script would write it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import optuna

from benchmarks.peers import in_vectorbt
from benchmarks.peers.work import PAIRS, Figures, Pair, Work


class Engine(in_vectorbt.Engine):
    """See `Peer`; the pairs say how many trials, the search chooses its own."""

    chunks = (1,)
    versions = ("optuna", "vectorbt", "numba", "pandas", "numpy")
    note = "`study.optimize` in memory, TPE with its defaults, one trial at a time"  # type: ignore[assignment]

    def search(self, work: Work, pairs: Sequence[Pair]) -> list[Figures]:
        """The net profit is maximised over the ranges of the pairs."""
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        fast, slow = ([pair[k] for pair in PAIRS] for k in (0, 1))
        found: list[Figures] = []

        def objective(trial: optuna.Trial) -> float:
            pair = (
                trial.suggest_int("fast", min(fast), max(fast)),
                trial.suggest_int("slow", min(slow), max(slow)),
            )
            found.extend(self.run(work, [pair]))
            return found[-1].net_profit

        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=1))
        study.optimize(objective, n_trials=len(pairs))
        return found
