"""One golden case: its two files, their keys, and how it runs again."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sweep.config.files import with_paths
from sweep.errors import error

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from sweep.engine import Backtest

FORMAT: Final = 1
KINDS: Final = ("bars", "ticks")
INDEX: Final = "golden.json"
CASE: Final = "case.json"
EXPECTED: Final = "expected.json"

CASE_KEYS: Final = frozenset(
    {
        "format",
        "name",
        "kind",
        "preset",
        "options",
        "account",
        "costs",
        "rates",
        "metrics",
        "symbols",
        "market",
        "strategy",
        "params",
        "gates",
        "identity",
    }
)
MARKET_KEYS: Final = frozenset({"digest", "source"})
EXPECTED_KEYS: Final = frozenset(
    {
        "semantics",
        "summary",
        "metrics",
        "trades",
        "trades_digest",
        "daily_digest",
        "metrics_digest",
        "result_digest",
        "equity_digest",
        "rejected",
        "blocked_bars",
    }
)
DIGEST_KEYS: Final = ("trades", "daily", "metrics", "result", "equity")


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it was recorded."""

    folder: Path
    case: Mapping[str, Any]
    expected: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the case and of its folder."""
        return str(self.case["name"])

    @classmethod
    def load(cls, folder: Path) -> Case:
        """Read a case; every file and key must be there, and no other.

        Raises:
            SweepError: [1012] naming what is missing or extra, [1009] a file that is not JSON.
        """
        _same_names(folder, {CASE, EXPECTED}, {entry.name for entry in folder.iterdir()}, "file")
        case, expected = read_json(folder / CASE), read_json(folder / EXPECTED)
        _same_names(folder / CASE, CASE_KEYS, set(case), "key")
        _same_names(folder / CASE, MARKET_KEYS, set(case["market"]), "key market.")
        _same_names(folder / EXPECTED, EXPECTED_KEYS, set(expected), "key")
        if case["format"] != FORMAT or case["kind"] not in KINDS:
            raise error(
                4001,
                f"golden cases of format {case['format']}, kind {case['kind']} are not built in this version",
                where=str(folder / CASE),
                remedy="use the version that recorded them",
            )
        return cls(folder, case, expected)

    def config(self) -> dict[str, Any]:
        """The config that runs this case once, its paths absolute."""
        strategy = self.case["strategy"]
        config = {
            "study": "golden",
            "market": copy.deepcopy(self.case["market"]["source"]),
            "symbol_specs": self.case["symbols"],
            "strategy": dict(strategy.get("code") or {"name": strategy["id"]}),
            "search": {"sampler": "random", "trials": 1},
            "execution": self.case["options"],
            "costs": self.case["costs"],
            "account": self.case["account"],
            "rates": copy.deepcopy(self.case["rates"]),
            "gates": copy.deepcopy(self.case["gates"]),
            "metrics": self.case["metrics"],
        }
        return with_paths(config, lambda path: str((self.folder / path).resolve()))

    @property
    def facts(self) -> dict[str, Any]:
        """What an identity document says of engine and strategy."""
        return {"engine": {"semantics": self.expected["semantics"]}, "strategy": self.case["strategy"]}


def case_of(
    name: str, config: Mapping[str, Any], identity: Mapping[str, Any], identity_hash: str, folder: Path
) -> dict[str, Any]:
    """`case.json` of a trial: the resolved config of its study and its identity document.

    Paths of the data become relative to the case's folder, so that a repository with data and cases can move.
    """
    config = with_paths(
        copy.deepcopy(dict(config)), lambda path: Path(os.path.relpath(path, folder)).as_posix()
    )
    market = config["market"]
    sections = market if isinstance(market, list) else [market]
    sources = [{key: value for key, value in keys.items() if value is not None} for keys in sections]
    return {
        "format": FORMAT,
        "name": name,
        "kind": "ticks" if "ticks" in sources[0] else "bars",
        "preset": config["execution"].get("preset", "realistic"),
        "options": config["execution"],
        "account": config["account"],
        "costs": config["costs"],
        "rates": config["rates"],
        "metrics": config["metrics"],
        "symbols": config["symbol_specs"],
        "market": {
            "digest": identity["dataset"],
            "source": sources if isinstance(market, list) else sources[0],
        },
        "strategy": {**identity["strategy"], **_code(config["strategy"])},
        "params": identity["params"],
        "gates": config["gates"],
        "identity": identity_hash,
    }


def _code(section: Mapping[str, Any]) -> dict[str, Any]:
    """The file of a strategy in Python, its text included; nothing of a native one."""
    for kind in ("signals", "python"):
        if section.get(kind):
            file = Path(section[kind]).name
            return {"code": {kind: file, "source": section["source"]}}
    return {}


def expected_of(result: Backtest, semantics: int) -> dict[str, Any]:
    """`expected.json` of a result."""
    return {
        "semantics": semantics,
        "summary": dict(result.summary),
        "metrics": dict(result.metrics),
        "trades": trade_rows(result.trades),
        **{f"{name}_digest": result.digests[name] for name in DIGEST_KEYS},
        "rejected": dict(result.rejections),
        "blocked_bars": dict(result.blocked_bars),
    }


def trade_rows(trades: pa.Table) -> list[dict[str, Any]]:
    """Trades as JSON rows: times in microseconds since 1970, floats in their shortest digits."""
    import pyarrow as pa

    columns = {}
    for name in trades.column_names:
        column = trades.column(name)
        columns[name] = (
            column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
        ).to_pylist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        SweepError: [3001] absent, [1009] not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(
            3001, "file not found", where=str(path), remedy="name a golden folder", stage="data"
        ) from None
    except ValueError as problem:
        raise error(1009, f"not JSON: {problem}", where=str(path), remedy="record it anew") from None
    if not isinstance(value, dict):
        raise error(1009, "not a JSON object", where=str(path), remedy="record it anew")
    return value


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON with one key per line; dates of a config as ISO 8601."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=_text) + "\n", encoding="utf-8")


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) or hasattr(value, "isoformat") else str(value)


def _same_names(place: Path, wanted: set[str] | frozenset[str], found: set[str], what: str) -> None:
    parts = [f"missing {what} {name}" for name in sorted(wanted - found)]
    parts += [f"extra {what} {name}" for name in sorted(found - wanted)]
    if parts:
        raise error(
            1012, "; ".join(parts), where=str(place), remedy="restore it, or record the golden results anew"
        )
