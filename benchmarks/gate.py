"""The regression gate: what costs more than it did, measured against a fixed loop in the same run.

`python -m benchmarks.gate` fails if a ratio to the calibration loop exceeds that of `gate.json` by more than the margin;
`--record` writes the file anew. The least of several rounds is taken: noise only ever adds. The loop is SHA-256: on a
processor without instructions for it the ratios are smaller, and the gate is milder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from benchmarks import engine
from benchmarks.measure import interleaved, machine
from sweep.types import Proposal

FILE: Final = Path(__file__).with_name("gate.json")
MARGIN: Final = 1.3
ROUNDS: Final = 15


def ratios(rounds: int = ROUNDS) -> dict[str, float]:
    """Least CPU time of each work over that of the calibration loop."""
    times = interleaved({**engine.work(), **_driver()}, rounds)
    fixed = min(times.pop("calibration"))
    return {name: min(seconds) / fixed for name, seconds in times.items()}


def slower(found: Mapping[str, float], known: Mapping[str, float], margin: float = MARGIN) -> list[str]:
    """A line for each work that costs more than it may, or is not known."""
    lines = [
        f"{name}: {ratio:.4f} of the calibration loop, {ratio / known[name]:.2f} times what it was"
        for name, ratio in found.items()
        if name in known and ratio > margin * known[name]
    ]
    lines += [f"{name}: not in {FILE.name}; record it" for name in found if name not in known]
    return [*lines, *(f"{name}: in {FILE.name}, not measured" for name in known if name not in found)]


def _driver() -> dict[str, Callable[[], object]]:
    """Proposals of batches of 64 by `random`, and results of the engine on their way to the driver."""
    from benchmarks import cluster, study
    from sweep.executors.results import results_of
    from sweep.executors.worker import table_of

    plan = study.plan_of("random", 64, 64)
    view = cluster.nothing()

    def propose() -> list[Proposal]:
        return list(plan.sampler.propose(0, 0, 64, view))

    results = plan.engine.run_batch(table_of([proposal.params for proposal in propose()]), returns=True)
    made: dict[str, Callable[[], object]] = {
        "random, 20 batches of 64": lambda: [propose() for _ in range(20)],
        "results of a batch of 64, 20 times": lambda: [list(results_of(results)) for _ in range(20)],
    }
    for call in made.values():
        call()
    return made


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gate")
    parser.add_argument("--record", action="store_true", help="write gate.json")
    if parser.parse_args().record:
        found = {name: round(ratio, 4) for name, ratio in ratios().items()}
        FILE.write_text(
            json.dumps({"machine": machine(), "ratios": found}, indent=2) + "\n", encoding="utf-8"
        )
        return 0
    found = ratios()
    for name, ratio in found.items():
        print(f"{name:44s} {ratio:.4f} of the calibration loop")
    problems = slower(found, json.loads(FILE.read_text(encoding="utf-8"))["ratios"])
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
