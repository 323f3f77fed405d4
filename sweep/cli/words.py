"""Lines of text that say how a study stands."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweep.study import Report
    from sweep.study.dry_run import DryRun


def summary(state: Report) -> Iterator[str]:
    """State, progress, rate and what failed."""
    reason = f" ({state.reason})" if state.reason else ""
    yield f"study {state.name}: {state.status}{reason}"
    total = "" if state.requested is None else f" of {state.requested}"
    rate = "" if state.rate is None else f", {state.rate:.1f} per second"
    yield f"trials: {state.done}{total}{rate}"
    if state.driver is not None:
        yield f"driver: {state.driver}"
    if state.crashed:
        yield f"its driver is gone; go on with: sweep resume {state.name}"
    failed = sum(count for outcome, count in state.counts.items() if outcome.startswith("FAILED"))
    if failed:
        yield f"failed: {failed}; reasons: sweep show {state.name} --failed"
    pruned = sum(count for outcome, count in state.counts.items() if outcome.startswith("PRUNED"))
    if pruned:
        yield f"stopped on purpose: {pruned}"
    if state.status == "EXHAUSTED":
        yield "exhausted: every valid parameter set has been run, or search.max_rejects in a row were refused"
    if not state.best:
        yield "no feasible trial yet" if state.status == "RUNNING" else "no feasible trial"
    elif len(state.objectives) > 1:
        goals = ", ".join(f"{n} ({d})" for n, d in zip(state.objectives, state.directions, strict=True))
        shown = "" if state.front == len(state.best) else f", {len(state.best)} of them shown"
        order = f", best {state.objective} ({state.direction}) first" if state.objective else ""
        yield f"not dominated in {goals}: {state.front}{shown}{order}"
    if state.environment_dependent:
        yield "environment_dependent: a trial ended in an environment failure"


def cost(state: Report) -> Iterator[str]:
    """Where the time of the last run went, and what its series caches did."""
    if state.spent is not None:
        yield from _spent(state.spent)
    if state.cache is not None:
        held = f"{state.cache['bytes'] / 2**20:.0f} MiB at the end"
        peak = f"at most {state.cache['peak_bytes'] / 2**20:.0f} MiB in one worker"
        yield (
            f"indicator series: {state.cache['misses']} computed, {state.cache['hits']} shared, "
            f"{state.cache['evictions']} dropped; {held}, {peak}"
        )


def _spent(spent: Mapping[str, Any]) -> Iterator[str]:
    if spent["worker"]:
        workers = f"{spent['workers']} worker{'' if spent['workers'] == 1 else 's'}"
        rates = (
            f"{spent['trials_per_second']:,.0f} trials and {spent['bars_per_second']:,.0f} bars per second"
        )
        yield f"{workers}: {_shares(spent['worker'])}; {rates}, core efficiency {100 * spent['core_efficiency']:.0f} %"
    yield f"driver: {_shares(spent['driver'])}; {spent['seconds']:.1f} s, {spent['starting']:.1f} s of it until the first call"


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())


def further(state: Report) -> Iterator[str]:
    """Commands to look further, for the end of a run; they work from where the user is."""
    home = Path(state.folder).parents[1]
    place = "" if home == Path.cwd() else f" --home {shlex.quote(os.path.relpath(home))}"
    yield "look further:"
    yield f"  sweep show {state.name}{place}"
    if state.best:
        yield f"  sweep show {state.name} {state.best[0].number}{place}"
        yield f"  sweep replay {state.name}:{state.best[0].number}{place}"
    yield f"  sweep export {state.name} --to trials.csv{place}"
    yield f"  sweep ui {state.name}{place}"


def dry_run(plan: DryRun) -> Iterator[str]:
    """What a study would cost."""
    from sweep.space.values import count_text

    yield f"identity: {plan.identity}"
    yield plan.space
    size = "continuous" if plan.cardinality is None else count_text(plan.cardinality)
    yield f"points of the space: {size}"
    yield f"trials: {'the whole space' if plan.trials is None else count_text(plan.trials)}"
    if plan.full_runs is not None and plan.full_runs != plan.trials:
        yield f"cost: that of {plan.full_runs:.1f} backtests of the whole window"
    yield f"measured: {plan.seconds_per_trial * 1000:.2f} ms per trial on one core"
    yield f"driver: {plan.seconds_to_drive * 1000:.2f} ms per trial, for proposing, grading and committing"
    if plan.seconds is not None:
        yield f"estimated: {plan.seconds:.0f} s on {plan.workers} worker{'s' if plan.workers > 1 else ''}"
    yield f"memory: at most {plan.bytes_per_worker / 2**20:.0f} MiB per worker"
    yield from plan.notes
    yield "nothing was written"
