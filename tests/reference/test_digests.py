"""Fingerprints and canonical digests against the committed values."""

from __future__ import annotations

import math
import struct
from typing import Any

import pyarrow as pa
import pytest

from sweep.reference.digest import result_digest, table_bytes, table_digest
from sweep.reference.schema import REGISTRY
from tests.reference.support import run_case
from tests.vectors.engine import CASES

FINGERPRINTS = {
    "ohlcv": "518223a2c313ed7e3bca27d6a3979c8a3b9f2240b1e1ee3fd98f68cbbbcd3891",
    "ticks": "50b8a2ab01a465f33e215a8ef9544840352953831aac12350207ecf5cb1f0001",
    "trade_signal": "e17bf4d78c03d7017ccd35c7b06dc4cda8ce4b36d6fabaeb801226386cac2961",
    "execution_position": "dcd3a0556ce59cfdbc56f6a7a8525e11872bb6c62f8e1034c9d6544cad89404b",
    "signal_exit": "0dbef28699929d0e86f80c4b5a56f392b90701d6b82a3f7ddeea2c3b96f812ee",
    "symbol_spec": "cb5901450fce4c39204747d8633bc824bad0f92a0513d904c598b3c398704bfb",
    "trades": "d3e228d6cbf353785900d6213e2e3d38d2a4f089934e1b8ad5f836e44ac5d8b3",
    "equity": "8e6aed1cc471fec3234db08951b4f86733e160c55e6cec0c0a3e3b817b481d57",
    "daily": "409a4eb0f1dee06c4e6e37f5da70f8b9c6a026eb4d720ad4dc3ebb099de97187",
    "metrics": "5615a06bb26f96d81679e4b385cbfb1039f1da4a1d48ee24356911ad9ea0362b",
    "params": "7813385ed2ebd07eec7384568ee5b22ce0cf5ee3fd3254d4174e83ba288913be",
    "portfolio_state": "b26c476cef5392324a909f2f55e237527ff657e277a40bcf0e7c6cee5edc9831",
}
T = 1_704_110_400_000_000


def metrics_table(*rows: tuple[str, float | None, str]) -> list[dict[str, Any]]:
    return [{"name": n, "value": v, "unit": u} for n, v, u in rows]


def equity_table(*rows: tuple[float, ...]) -> list[dict[str, Any]]:
    return [
        dict(zip(("timestamp", "equity", "balance", "drawdown", "high_water"), row, strict=True))
        for row in rows
    ]


METRICS = metrics_table(("net_profit", -100, "money"), ("sharpe_ratio", None, "ratio"))
DAILY = [{"date": 1_704_067_200_000_000, "equity": 9900}]
OTHER_NAN = struct.unpack("<d", bytes.fromhex("010000000000f8ff"))[0]


def r1_trades() -> list[dict[str, Any]]:
    (case,) = [case for case in CASES if case.id == "R1"]
    return [dict(row) for row in run_case(case).trades]


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_a_fingerprint_is_the_committed_one(name: str) -> None:
    assert REGISTRY[name].fingerprint == FINGERPRINTS[name]


def test_the_registry_is_complete() -> None:
    assert set(REGISTRY) == set(FINGERPRINTS)


def test_the_bytes_of_a_table() -> None:
    head = b"sweep.table.v1\nmetrics\0" + FINGERPRINTS["metrics"].encode()
    tail = "0100000000000000 6e616d6500 73 01000000 61 76616c756500 66 00 0000000000000000 756e697400 73 01000000 78"
    assert table_bytes("metrics", metrics_table(("a", None, "x"))) == head + bytes.fromhex(tail)


@pytest.mark.parametrize(
    ("schema", "rows", "size", "digest"),
    [
        ("metrics", METRICS, 180, "7c58e03b2e5093b1dcae60f0e72a37857ed611320492ef267d221a94130f9d14"),
        (
            "equity",
            equity_table(
                (T, 10000, 10000, 0, 10000),
                (T, 10000, 10000, -0.0, 10000),
                (T + 60_000_000, 9900, 9900, -100, 10000),
            ),
            264,
            "3432da95d0a989ffa29917534eca0a23d82e3b3ea82a6f18691e5008f0ab0406",
        ),
        ("trades", r1_trades(), 520, "e35da2653fd4b4e6b04603c03bdb1c61d352fa192ba4c47e0f6d0f7f0029e33c"),
        ("trades", [], None, "7f74076cc32a44e708732b9b910ba4d8feb0356b06328601369dce3fdddbbb88"),
        ("daily", DAILY, 123, "5dfc745ca720af6dd6506f8c0b27270e67832cba8c15cc4cb48c153ecbd7ff12"),
        (
            "daily",
            [*DAILY, {"date": 1_704_153_600_000_000, "equity": 10000}],
            None,
            "3fac496e48f95c251cd16843e9bc50c68bafa9a913001ab7239f8dc22b78c9f2",
        ),
    ],
)
def test_a_table_digest(schema: str, rows: list[dict[str, Any]], size: int | None, digest: str) -> None:
    assert table_digest(schema, rows) == digest
    assert size in (None, len(table_bytes(schema, rows)))


@pytest.mark.parametrize(
    ("zero", "nan"), [(-0.0, math.nan), (0.0, math.nan), (-0.0, OTHER_NAN), (0.0, -math.nan)]
)
def test_zeros_and_nans_are_canonical(zero: float, nan: float) -> None:
    rows = metrics_table(("a", zero, "money"), ("b", nan, "ratio"))
    assert table_digest("metrics", rows) == "43d156c433387437706a05c365edf5dc54e3080db36f97b31ae70e9b03bb58cd"


def test_the_result_digest() -> None:
    parts = (
        table_digest("trades", r1_trades()),
        table_digest("daily", DAILY),
        table_digest("metrics", METRICS),
    )
    assert result_digest(*parts) == "c91aa968748a50c83463279093527dcb2593b5dc2587363dcb13a131c784e3eb"


def test_the_digests_of_a_result_are_those_of_its_tables() -> None:
    (case,) = [case for case in CASES if case.id == "L1"]
    result = run_case(case)
    for name, table in result.tables().items():
        rows = table.to_pylist()
        micros = table.schema.get_all_field_indices("date") or [
            table.schema.get_field_index(n) for n in ("timestamp", "entry_time", "exit_time", "order_time")
        ]
        for i in (i for i in micros if i >= 0):
            column = table.schema.field(i).name
            for row, value in zip(rows, table.column(i).cast(pa.int64()).to_pylist(), strict=True):
                row[column] = value
        assert table_digest(name, rows) == result.digests[name]
    parts = [result.digests[name] for name in ("trades", "daily", "metrics")]
    assert result.digests["result"] == result_digest(*parts)
