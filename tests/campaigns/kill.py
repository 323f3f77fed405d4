"""Studies killed at random moments must resume to the ledger of a study that nobody disturbed.

`make kill-campaign`; the suite has a short form. Drivers die by SIGKILL at a random moment after the first dispatch, at a
statement of a commit, while a COMMIT reaches the disk, and with results in the spool; workers (Ray) at random moments. After
every resume: the ledger digest, computed from the rows, is that of the undisturbed study; nothing that was committed or in
the spool has been run again, at no pruning level either; the spool is empty.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

from sweep.ledger import IdentityTemplate, Ledger
from tests.campaigns import driver
from tests.campaigns.driver import COMMIT, Orders

BATCH: Final = 24
TRIALS: Final = 300
"""A pruner rounds them up to whole batches."""
PAUSE: Final = 0.003
"""Longest extra time of a trial: a study takes about half a second of work."""
SAMPLERS: Final = ("random", "tpe", "halving")
"""Studies that are killed; the last is `tpe` under a pruner."""
KINDS: Final = ("moment", "statement", "syncing", "spool")
_LONGEST: Final = 180.0


def config(sampler: str, **compute: Any) -> dict[str, Any]:
    """A fast study of the native engine whose spool is written at every step of the loop."""
    return {
        "study": "killed",
        "market": {"symbol": "EURUSD", "timeframe": "M5", "synthetic": {"bars": 3000, "seed": 7}},
        "strategy": {"name": "ma_cross"},
        "search": {
            "sampler": "tpe" if sampler == "halving" else sampler,
            "pruner": {"type": "halving" if sampler == "halving" else "none", "resource": "segments"},
            "trials": TRIALS,
            "batch_size": BATCH,
            "spool_interval": 1e-6,
            "space": {"fast_period": {"low": 5, "high": 30}, "slow_period": {"low": 40, "high": 120}},
            "others": "default",
        },
        "min_trades": 5,
        "compute": {"backend": "local", "workers": 2, "max_retries": 9, **compute},
        "tracking": {"mlflow": None, "runs": {"top": 1}},
    }


@dataclass(frozen=True)
class Left:
    """What a dead driver left behind."""

    trials: int
    """Committed ones."""
    committed: frozenset[str]
    """Their identities, at every pruning level."""
    spooled: frozenset[str]


@dataclass
class Process:
    """A driver process."""

    process: ForkServerProcess
    log: Path
    _told: Connection

    @classmethod
    def start(cls, orders: Orders) -> Process:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(driver.PRELOAD))
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=driver.main, args=(orders, theirs))
        process.start()
        theirs.close()
        return cls(process, Path(orders.log), ours)

    def until_dispatched(self) -> None:
        """Wait for the first dispatch."""
        with suppress(EOFError):
            self._told.recv()
            return
        raise AssertionError(self.errors())

    def end(self) -> int:
        """Wait for its end: the exit code, negative for a signal."""
        self.process.join(_LONGEST)
        assert self.process.exitcode is not None, "it never ends"
        return self.process.exitcode

    def kill(self) -> int:
        """SIGKILL, and what it ended with: 0 if it was faster."""
        self.process.kill()
        return self.end()

    def errors(self) -> str:
        """What it wrote to stderr."""
        return self.log.with_suffix(".err").read_text()[-3000:]

    def ran(self) -> list[str]:
        """Identities of the trials that its workers ran."""
        return [line["ran"] for line in _lines(self.log) if "ran" in line]


def _lines(log: Path) -> list[dict[str, Any]]:
    whole = log.read_bytes().rpartition(b"\n")[0] if log.exists() else b""
    return [json.loads(line) for line in whole.splitlines()]


def digest(home: Path) -> str:
    """Ledger digest, computed from the rows."""
    with Ledger.open(home / "studies" / "killed") as ledger:
        return ledger.digest(verify=True)


def left(home: Path) -> Left:
    """What is durable; the ledger is read as any other process would."""
    with Ledger.open(home / "studies" / "killed") as ledger:
        identities, keys = IdentityTemplate.of_study(ledger.study), list(ledger.keys(stop=ledger.count()))
        levels = [None, *map(int, ledger.get("levels") or {})]
        committed = (identities.identity(key, level) for key in keys for level in levels)
        ledger.digest(verify=True)
        return Left(len(keys), frozenset(committed), frozenset(ledger.spooled()))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one study."""
    with tempfile.TemporaryDirectory(prefix="kill-") as folder:
        yield Path(folder)


class Campaign:
    """Kills by seed; counts by kind. A kill that comes too late, or not where it was aimed at, is not counted.

    Args:
        samplers: the studies that are killed.
    """

    def __init__(self, seed: int, samplers: Sequence[str] = SAMPLERS) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.facts: Counter[str] = Counter()
        self._whole: dict[str, str] = {}
        self._ran: dict[str, frozenset[str]] = {}
        """Identities of what the undisturbed study ran."""
        self._seconds: dict[str, float] = {}
        for sampler in samplers:
            self._undisturbed(sampler)

    def _undisturbed(self, sampler: str) -> None:
        with scratch() as home:
            process = Process.start(self._orders(home, sampler))
            process.until_dispatched()
            begun = time.monotonic()
            assert process.end() == 0, process.errors()
            self._seconds[sampler] = time.monotonic() - begun
            self._whole[sampler] = digest(home)
            ran, found = process.ran(), left(home)
            self._ran[sampler] = frozenset(ran)
            assert len(ran) == len(self._ran[sampler]), "each trial is run once"
            assert self._ran[sampler] <= found.committed
            assert found.trials == (TRIALS if sampler != "halving" else -(-TRIALS // BATCH) * BATCH)

    def _orders(self, home: Path, sampler: str, **more: Any) -> Orders:
        seed = self.random.randrange(2**32)
        log = str(home / f"{len(list(home.glob('*.log')))}.log")
        Path(log).touch()
        compute = more.pop("compute", {})
        more.setdefault("config", config(sampler, **compute))
        return Orders(home=str(home), log=log, pause=PAUSE, seed=seed, **more)

    # -------------------------------------------------------------------------------------------------------- drivers
    def kill_driver(self, kind: str, *, sampler: str | None = None, address: str | None = None) -> bool:
        """One study killed and resumed; False if the kill missed."""
        sampler = sampler or self.random.choice(list(self._whole))
        compute = {} if address is None else {"backend": "ray", "address": address}
        batches = TRIALS // BATCH
        aim: dict[str, Any] = {"compute": compute, "ray": address is not None}
        if kind == "statement":
            statement = self.random.choice(COMMIT)
            per_batch = 1 if statement == COMMIT[-1] else BATCH
            aim["die_at"] = (statement, self.random.randrange(1, batches * per_batch))
        if kind == "syncing":
            aim["die_in_commit"] = (self.random.randrange(1, batches), self.random.uniform(0, 0.004))
        with scratch() as home:
            process = Process.start(self._orders(home, sampler, **aim))
            ended = self._killed(process, kind, home, self._seconds[sampler])
            if ended != -signal.SIGKILL:
                assert ended == 0, process.errors()
                return False
            found = left(home)
            if found.trials >= TRIALS or (kind == "spool" and not found.spooled):
                return False
            self._resume(home, sampler, found, address)
        self.counts[f"driver {kind}" + (" (Ray)" if address else "")] += 1
        self.facts["kills with a filled spool"] += bool(found.spooled)
        self.facts["results taken from the spool"] += len(found.spooled)
        self.facts["trials committed at the kill"] += found.trials
        return True

    def _killed(self, process: Process, kind: str, home: Path, seconds: float) -> int:
        process.until_dispatched()
        if kind in ("statement", "syncing"):
            return process.end()
        if kind == "moment":
            time.sleep(self.random.uniform(0, seconds))
        else:
            self._wait_for_spool(process, home, self.random.randrange(1, 8))
        return process.kill()

    def _wait_for_spool(self, process: Process, home: Path, sightings: int) -> None:
        """Until results have been seen in the spool so many times."""
        uri = f"{(home / 'studies' / 'killed' / 'study.db').as_uri()}?mode=ro"
        with sqlite3.connect(uri, uri=True, timeout=5.0) as reader:
            while sightings and process.process.is_alive():
                sightings -= bool(reader.execute("SELECT count(*) FROM spool").fetchone()[0])
                time.sleep(0.002)
        reader.close()

    def _resume(self, home: Path, sampler: str, found: Left, address: str | None) -> None:
        orders = self._orders(home, sampler, config={}, study="killed", ray=address is not None)
        process = Process.start(orders)
        assert process.end() == 0, process.errors()
        again = process.ran()
        assert digest(home) == self._whole[sampler], "another ledger than that of the undisturbed study"
        assert len(set(again)) == len(again), "a trial was run twice"
        assert not found.committed & set(again), "what was committed has been run again"
        assert not found.spooled & set(again), "what was in the spool has been run again"
        assert self._ran[sampler] >= found.spooled | set(again), "something else was run"
        assert self._ran[sampler] <= found.committed | found.spooled | set(again), "a trial was lost"
        assert not left(home).spooled, "the spool is not empty"

    # -------------------------------------------------------------------------------------------------------- workers
    def kill_workers(self, most: int, address: str) -> int:
        """One undisturbed driver whose workers are killed at random moments: how many were."""
        sampler = self.random.choice(list(self._whole))
        killed = 0
        with scratch() as home:
            orders = self._orders(home, sampler, compute={"backend": "ray", "address": address})
            process = Process.start(dataclasses.replace(orders, pause=10 * PAUSE, ray=True))
            process.until_dispatched()
            dead: set[int] = set()
            while killed < most and process.process.is_alive():
                time.sleep(self.random.uniform(0.05, 0.8))
                alive = [pid for line in _lines(process.log) if (pid := line.get("pid")) and pid not in dead]
                if alive and process.process.is_alive():
                    victim = self.random.choice(alive)
                    dead.add(victim)
                    with suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        killed += 1
            assert process.end() == 0, process.errors()
            assert digest(home) == self._whole[sampler], "another ledger than that of the undisturbed study"
            assert set(process.ran()) == self._ran[sampler]
            with Ledger.open(home / "studies" / "killed") as ledger:
                attempts = [trial.runtime.attempts for trial in ledger.trials() if trial.runtime]
            self.facts["trials that lost a worker"] += sum(count > 1 for count in attempts)
        self.counts["worker"] += killed
        return killed


@contextmanager
def cluster() -> Iterator[str]:
    """Address of a Ray cluster of this process."""
    os.environ["RAY_AUTH_MODE"] = "disabled"
    from sweep.executors.environment import prepare

    prepare(None)
    import ray
    from ray.cluster_utils import Cluster

    options = {"initialize_head": True, "head_node_args": {"num_cpus": 2, "include_dashboard": False}}
    for last in (False, False, True):
        try:
            started = Cluster(**options)
            break
        except Exception:  # a busy machine takes longer than Ray waits
            if last:
                raise
    try:
        yield str(started.address)
    finally:
        ray.shutdown()
        started.shutdown()


def run(seed: int, drivers: int, workers: int, with_ray: int) -> Campaign:
    """The long form: a fifth of the drivers dies in statements, in commits and with a filled spool each."""
    campaign = Campaign(seed)
    share = drivers // 5
    plan = Counter({"statement": share, "syncing": share, "spool": share, "moment": 0})
    plan["moment"] = max(0, drivers - sum(plan.values()))
    for kind, count in plan.items():
        done = 0
        while done < count:
            done += campaign.kill_driver(kind)
            _say(campaign)
    if workers or with_ray:
        with cluster() as address:
            done = 0
            while done < with_ray:
                done += campaign.kill_driver("moment", address=address)
                _say(campaign)
            while workers > 0:
                workers -= campaign.kill_workers(min(workers, 6), address)
                _say(campaign)
    return campaign


def _say(campaign: Campaign) -> None:
    sys.stderr.write(f"{dict(campaign.counts)}\n")


def main() -> None:
    """Command line of the long form; prints the counts as JSON. Ends with an AssertionError at the first difference."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--drivers", type=int, default=50, help="drivers killed, with local workers")
    words.add_argument("--workers", type=int, default=50, help="Ray workers killed")
    words.add_argument("--ray", type=int, default=4, help="further drivers killed, with Ray workers")
    asked = words.parse_args()
    begun = time.monotonic()
    campaign = run(asked.seed, asked.drivers, asked.workers, asked.ray)
    counts = {"kills": dict(campaign.counts), **campaign.facts, "seed": asked.seed}
    sys.stdout.write(json.dumps({**counts, "seconds": round(time.monotonic() - begun)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
