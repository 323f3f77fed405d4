"""Whether `tpe` searches as well as Optuna's estimator: `python -m benchmarks.tpe_quality [--seeds 30] [--out FILE]`.

Both samplers get the same batch size, lag, start-up trials and history. Of each function the best values of all runs of both
are ranked, 0 the best and 1 the worst; the paired difference of a seed is the rank of `tpe` less that of `optuna_tpe`.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from scipy.stats import rankdata, t

from benchmarks.light_optuna import light_optuna
from benchmarks.measure import machine
from benchmarks.problems import PROBLEMS, Problem
from benchmarks.surface import surface
from sweep.objective import Objective
from sweep.samplers import optuna as optuna_tpe
from sweep.samplers import tpe
from sweep.samplers.base import Prefix, Settings, View, position_after
from sweep.types import Trial

SETTINGS: Final = ((1, 1, 300), (16, 2, 300), (64, 2, 1_000))
"""Batch size, lag and evaluations."""
MARGIN: Final = 0.05
SAMPLERS: Final = {"tpe": tpe, "optuna_tpe": optuna_tpe}
OBJECTIVE: Final = Objective.build(
    [{"metric": "loss", "direction": "minimize"}], metrics=["loss", "total_trades"]
)


@dataclass(frozen=True)
class Case:
    """One function under one batch size and lag."""

    problem: Problem
    batch_size: int
    lag: int
    evaluations: int

    @property
    def key(self) -> str:
        """Name in the record of runs."""
        return f"{self.problem.name} {self.batch_size} {self.lag} {self.evaluations}"


def best(case: Case, sampler: str, seed: int) -> float:
    """The lowest loss among the trials of one search."""
    found = OBJECTIVE.best(trials(case, sampler, seed))
    loss = None if found is None else found.outcome.objectives[0]
    return math.inf if loss is None else loss


def trials(case: Case, sampler: str, seed: int) -> list[Trial]:
    """One search."""
    size, lag = case.batch_size, case.lag
    space = case.problem.space(seed)
    proposer = SAMPLERS[sampler].build(Settings(space, OBJECTIVE, seed=seed, batch_size=size, lag=lag))
    ledger: list[Trial] = []
    used: set[str] = set()
    position = k = 0
    while len(ledger) < case.evaluations:
        rows = max(0, k - lag + 1) * size
        pending = [trial.proposal.params for trial in ledger[rows:]]
        batch = proposer.propose(k, k * size, size, View(Prefix(ledger, rows), pending, used, position))
        if not batch:
            break
        position, k = position_after(batch, position), k + 1
        used.update(proposal.key for proposal in batch)
        for proposal in batch[: case.evaluations - len(ledger)]:
            ledger.append(Trial(proposal, case.problem.outcome(proposal.params), {}, None, None))
    return ledger


def differences(ours: Sequence[float], theirs: Sequence[float]) -> np.ndarray:
    """Paired differences of ranks on [0, 1]; negative where the first is better."""
    ranks = rankdata([*ours, *theirs], method="average")
    scaled = (ranks - 1.0) / (len(ranks) - 1.0)
    return np.asarray(scaled[: len(ours)] - scaled[len(ours) :])


def interval(groups: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean of the groups' means and half the width of its 95 % interval; the groups are given, their members a sample."""
    mean = float(np.mean([group.mean() for group in groups]))
    error = math.sqrt(sum(group.var(ddof=1) / len(group) for group in groups)) / len(groups)
    freedom = sum(len(group) - 1 for group in groups)
    return mean, float(t.ppf(0.975, freedom)) * error


def table(
    runs: Mapping[str, Mapping[str, Sequence[float]]], problems: Sequence[Problem] = PROBLEMS
) -> Iterator[str]:
    """The page: a table and a verdict per setting, from the seeds that both samplers have finished."""
    yield "# How well `tpe` searches\n"
    yield (
        "Against `optuna_tpe` with the same batch size, lag, start-up and history. Medians of "
        "the best loss; the rank difference is negative where `tpe` is better, and given with its 95 % interval "
        f"(see `benchmarks/tpe_quality.py`). Made by `make tpe-quality` on {machine()}."
    )
    for size, lag, evaluations in SETTINGS:
        done = {problem.name: runs.get(Case(problem, size, lag, evaluations).key, {}) for problem in problems}
        counts = {name: min(len(run.get(s, ())) for s in SAMPLERS) for name, run in done.items()}
        finished = [problem for problem in problems if counts[problem.name] > 1]
        if not finished:
            continue
        yield f"\n## {evaluations} evaluations in batches of {size}, lag {lag}\n"
        yield "| function | parameters | seeds | `tpe` | `optuna_tpe` | rank difference |\n|---|---|---|---|---|---|"
        groups = []
        for problem in finished:
            count = counts[problem.name]
            ours, theirs = (done[problem.name][name][:count] for name in SAMPLERS)
            groups.append(differences(ours, theirs))
            mean, half = interval(groups[-1:])
            yield (
                f"| {problem.name} | {len(problem.entries)} | {count} | {statistics.median(ours):.4g} "
                f"| {statistics.median(theirs):.4g} | {mean:+.3f} ± {half:.3f} |"
            )
        mean, half = interval(groups)
        verdict = "not worse" if mean + half <= MARGIN else "not shown"
        yield (
            f"\n{len(finished)} of {len(problems)} functions: {mean:+.3f}, 95 % interval "
            f"[{mean - half:+.3f}, {mean + half:+.3f}]; by a margin of {MARGIN}: {verdict}."
        )


def main() -> None:
    """Runs what the record lacks, then writes the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tpe_quality")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--record", type=Path, default=Path("build/tpe_quality.json"), help="finished runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("TPE_QUALITY.md"))
    parser.add_argument(
        "--batch", type=int, choices=[size for size, *_ in SETTINGS], help="only this batch size"
    )
    parser.add_argument(
        "--sides", type=Path, nargs=2, help="bid and ask of GBPUSD M1 for the strategy [generated]"
    )
    parser.add_argument("--only", help="only the function of this name")
    chosen = parser.parse_args()
    everything = (*PROBLEMS, surface(chosen.sides and tuple(chosen.sides)))
    problems = tuple(problem for problem in everything if chosen.only in (None, problem.name))
    record = chosen.record
    record.parent.mkdir(parents=True, exist_ok=True)
    runs: dict[str, dict[str, list[float]]] = json.loads(record.read_text()) if record.exists() else {}
    wanted = [setting for setting in SETTINGS if chosen.batch in (None, setting[0])]
    cases = [Case(problem, *setting) for setting in wanted for problem in problems]
    for case in cases:
        runs.setdefault(case.key, {name: [] for name in SAMPLERS})
    for seed in range(chosen.seeds):
        for case, name in product(cases, SAMPLERS):
            done = runs[case.key][name]
            if len(done) > seed:
                continue
            begun = time.perf_counter()
            with light_optuna():
                done.append(best(case, name, seed))
            record.write_text(json.dumps(runs))
            seconds = time.perf_counter() - begun
            print(f"seed {seed:3d}  {case.key:24s} {name:12s} {seconds:7.1f} s", flush=True)
    chosen.out.write_text("\n".join(table(runs, problems)) + "\n")
    print(f"written: {chosen.out}")


if __name__ == "__main__":
    main()
