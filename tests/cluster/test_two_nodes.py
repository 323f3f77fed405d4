"""A study on a running cluster of two nodes: both work, the data stay with the driver, the ledger is the local one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep.market import Market
from sweep.study import Study
from sweep.study.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweep.executors.base import EngineSpec

pytestmark = [pytest.mark.ray, pytest.mark.slow]

CONFIG: dict[str, Any] = {
    "market": {"symbol": "EURUSD", "timeframe": "M5"},
    "strategy": {"name": "ma_cross"},
    "search": {"sampler": "random", "trials": 600, "batch_size": 50, "seed": 3},
    "min_trades": 5,
    "tracking": {"mlflow": None},
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a cluster of two nodes of one CPU each, on this machine."""
    os.environ["RAY_AUTH_MODE"] = "disabled"
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        yield str(cluster.address)
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bid and ask files in a folder that only the driver is told of."""
    folder = tmp_path / "driver-only"
    folder.mkdir()
    table = Market.synthetic(bars=6000, seed=7).to_table()
    for side in ("bid", "ask"):
        columns = {
            name: table.column(f"{side}_{name}") for name in ("open", "high", "low", "close", "volume")
        }
        pq.write_table(
            pa.table({"timestamp": table.column("timestamp"), **columns}), folder / f"{side}.parquet"
        )
    return folder


def _config(data: Path, name: str, **compute: Any) -> dict[str, Any]:
    market = {**CONFIG["market"], "bid": str(data / "bid.parquet"), "ask": str(data / "ask.parquet")}
    return {**CONFIG, "study": name, "market": market, "compute": compute}


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _nodes(study: Study) -> set[str]:
    """Nodes whose actors ran trials of the study, from `trial_runtime`."""
    with study.ledger as ledger:
        runtimes = [trial.runtime for trial in ledger.trials()]
    assert None not in runtimes
    return {runtime.worker.partition("@")[2] for runtime in runtimes if runtime is not None}


def test_two_nodes_give_the_local_ledger_and_never_see_the_files(
    address: str, data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = data.with_name("gone")
    specs: list[EngineSpec] = []
    made = Plan.engine_spec

    def watched(self: Plan, *, returns: bool) -> EngineSpec:
        # The driver has read the rows: whoever opens a path from here on fails, on either node.
        specs.append(made(self, returns=returns))
        data.rename(gone)
        return specs[-1]

    # The second actor may start so late that the first has done a short study by itself: then a longer one.
    for trials in (600, 3000, 12000):
        search = [f"search.trials={trials}"]
        local = Study.run(_config(data, f"local-{trials}", backend="local", workers=1), search)
        with monkeypatch.context() as patch:
            patch.setattr(Plan, "engine_spec", watched)
            spread = Study.run(
                _config(data, f"spread-{trials}", backend="ray", workers=2, address=address), search
            )
        gone.rename(data)
        assert spread.digest == local.digest
        if len(_nodes(spread)) == 2:
            break
    assert len(_nodes(spread)) == 2
    for spec in specs:
        told = [*_strings(spec.data.markets[0].meta), *_strings(spec.options), spec.strategy]
        assert not [text for text in told if str(data.parent) in text or text.endswith(".parquet")]
