"""Benchmarks: `python -m benchmarks [engine] [indicators] [data] [portfolio] [strategies] [samplers] [ledger] [cluster] [sweep]`. Figures of one run are compared within that run only."""

from __future__ import annotations

import argparse

from benchmarks import cluster, data, engine, indicators, ledger, portfolio, samplers, strategies, sweep
from benchmarks.measure import machine


def main() -> None:
    """Runs the parts that are named, all by default."""
    parts = {
        "engine": engine.run,
        "indicators": indicators.run,
        "data": data.run,
        "portfolio": portfolio.run,
        "strategies": strategies.run,
        "samplers": samplers.run,
        "ledger": ledger.run,
        "cluster": cluster.run,
        "sweep": sweep.run,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[*parts], help="all by default")
    chosen = parser.parse_args().parts or list(parts)
    print(machine())
    for name in chosen:
        print(f"\n## {name}")
        for line in parts[name]():
            print(line)


if __name__ == "__main__":
    main()
