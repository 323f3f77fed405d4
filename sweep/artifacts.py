"""Single backtests in full: the engine of a config, and the files of one result.

`artifacts/<identity>/` holds what a ledger row leaves out, for the best trials of a study: `trades.parquet`,
`equity.parquet`, `result.json` (metrics, summary, digests), `equity.svg`, `identity.json` and `config.yaml`. The last
two are all that a replay needs beside the data.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from sweep.arrow import numbers
from sweep.engine import Engine
from sweep.errors import error
from sweep.objective import Objective
from sweep.strategies.code import strategy_of
from sweep.trackers import parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from sweep.config import Config
    from sweep.engine import Backtest
    from sweep.market.market import Market
    from sweep.types import Trial

FOLDER: Final = "artifacts"
_CHART: Final = (960, 320)
_MAX_POINTS: Final = 1500


def engine_of(
    config: Config,
    markets: Sequence[Market],
    rates: Mapping[str, Market] | None = None,
    *,
    backend: Literal["rust", "python"] = "rust",
    levels: Mapping[int, Sequence[tuple[int, int]]] | None = None,
) -> Engine:
    """The engine that a config describes, over markets (one per symbol) and rate series that are loaded.

    `levels` are the parts of the window that pruning levels run.
    """
    return Engine(
        markets,
        strategy_of(config.strategy),
        execution=config.execution,
        costs=config.costs,
        account=config.account,
        rates={**config.rates, "series": dict(rates or {})},
        gates=config.gates,
        metrics=config.metrics,
        early_stop=early_stop(config),
        levels=levels,
        backend=backend,
    )


def early_stop(config: Config) -> dict[str, float]:
    """The limits of `search.early_stop` as an engine takes them: with the least number of trades where one needs it."""
    limits = config.search.early_stop.limits
    if "min_trades_by_midpoint" in limits:
        limits["min_trades"] = Objective.build((), config.constraints, config.min_trades).min_trades
    return limits


def write(study_dir: Path, engine: Engine, trials: Iterable[Trial]) -> list[Path]:
    """Write `artifacts/<identity>/` for the given trials of a study, running each once more.

    Args:
        study_dir: the study's folder with its `config.yaml`.
        engine: over the study's market and options.
        trials: those that ran; a folder that exists is left as it is, so a resume adds what is missing.

    Returns:
        the folders, in the order of the trials.

    Raises:
        SweepError: [4004] if a result is not the one in the ledger; [3000] if the files cannot be written.
    """
    config = (study_dir / "config.yaml").read_text(encoding="utf-8")
    folders = []
    for trial in trials:
        if trial.identity is None or trial.digests is None:
            continue
        folder = study_dir / FOLDER / trial.identity
        if not folder.is_dir():
            _save_whole(folder, _rerun(engine, trial), config)
        folders.append(folder)
    return folders


def _rerun(engine: Engine, trial: Trial) -> Backtest:
    result = engine.run(dict(trial.proposal.params))
    expected = trial.digests.result if trial.digests else None
    for name, wanted, found in (
        ("identity", trial.identity, result.identity),
        ("digest", expected, result.digest),
    ):
        if wanted != found:
            raise error(
                4004,
                f"trial {trial.number} has another {name} when it runs alone: {wanted} in the ledger, {found} now",
                remedy="report it: the same identity must give the same bytes",
                stage="engine",
            )
    return result


def _save_whole(folder: Path, result: Backtest, config: str) -> None:
    """All files of a folder or none: written beside it, then renamed."""
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        save(partial, result, config=config)
        partial.rename(folder)
    except OSError as problem:
        raise error(
            3000,
            f"cannot write the artifacts: {problem}",
            where=str(folder.parent),
            remedy="check the folder and the space on its disk",
            stage="infrastructure",
        ) from problem
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def save(folder: Path, result: Backtest, *, config: str | None = None) -> list[Path]:
    """Write one result into a folder that exists; its files, `config.yaml` among them if `config` is given."""
    parquet.write(result.trades, folder / "trades.parquet")
    parquet.write(result.equity, folder / "equity.parquet")
    texts = {
        "result.json": json.dumps(document(result), indent=1, ensure_ascii=False),
        "identity.json": result.identity_document or "",
        "equity.svg": equity_chart(result.equity),
    }
    if config is not None:
        texts["config.yaml"] = config
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in ("trades.parquet", "equity.parquet", *texts)]


def document(result: Backtest) -> dict[str, Any]:
    """What a result says beside its tables, as JSON values."""
    return {
        "identity": result.identity,
        "digests": dict(result.digests),
        "equity_digest": result.equity_digest,
        "metrics": dict(result.metrics),
        "summary": dict(result.summary),
        "rejections": dict(result.rejections),
        "blocked_bars": dict(result.blocked_bars),
        "warnings": list(result.warnings),
        **({} if result.stopped is None else {"stopped": dict(result.stopped)}),
    }


def equity_chart(equity: pa.Table) -> str:
    """The equity and its high water as an SVG; every stretch keeps its extremes."""
    width, height = _CHART
    own, high = (numbers(equity.column(name)) for name in ("equity", "high_water"))
    low_end, high_end = float(own.min()), float(high.max())
    span = (high_end - low_end) or 1.0

    def line(series: NDArray[np.float64]) -> str:
        kept = _extremes(series)
        x = 10 + (width - 20) * kept / max(len(series) - 1, 1)
        y = height - 24 - (height - 48) * (series[kept] - low_end) / span
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))

    times = numbers(equity.column("timestamp").cast("int64"))
    begin, end = (f"{datetime.fromtimestamp(times[i] / 1e6, UTC):%Y-%m-%d}" for i in (0, -1))
    font = 'font-family="sans-serif" font-size="12" fill="#555"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<polyline fill="none" stroke="#c9d6e2" points="{line(high)}"/>'
        f'<polyline fill="none" stroke="#1f5f99" stroke-width="1.2" points="{line(own)}"/>'
        f'<text x="10" y="16" {font}>equity {own[0]:,.0f} → {own[-1]:,.0f}</text>'
        f'<text x="10" y="{height - 6}" {font}>{begin}</text>'
        f'<text x="{width - 10}" y="{height - 6}" text-anchor="end" {font}>{end}</text></svg>'
    )


def _extremes(series: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of at most `_MAX_POINTS` points and the two ends: minimum and maximum of every stretch, in order."""
    import numpy as np

    if len(series) <= _MAX_POINTS:
        return np.arange(len(series))
    stretch = -(-len(series) // (_MAX_POINTS // 2))
    rows = np.pad(series, (0, -len(series) % stretch), mode="edge").reshape(-1, stretch)
    starts = np.arange(len(rows)) * stretch
    kept = np.concatenate([[0, len(series) - 1], starts + rows.argmin(axis=1), starts + rows.argmax(axis=1)])
    return np.unique(np.minimum(kept, len(series) - 1))
