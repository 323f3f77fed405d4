"""`backtest`: one run, no study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sweep.cli import output
from sweep.cli.options import Config, Debug, Home, Json, Overrides, Verify, dataset_cache
from sweep.errors import error


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog="Example: sweep backtest configs/ma_cross.yaml -p fast_period=10 -p slow_period=40")(
        backtest
    )


def backtest(
    config: Config,
    overrides: Overrides = None,
    params: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="NAME=VALUE", help="A parameter; the rest takes its default."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--output", metavar="DIR", help="Folder for trades, equity, metrics, chart."),
    ] = None,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Runs one backtest of a config's market, strategy and costs."""
    from sweep.artifacts import document, save
    from sweep.config import load
    from sweep.study.plan import prepare

    cache = dataset_cache(home, verify)
    chosen = load(config, overrides or (), home=home, searching=False)
    plan = prepare(chosen, cache=cache, searching=False)
    result = plan.engine.run({**plan.space.pinned, **_params(params or [])})
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        save(to, result, config=plan.config_text)
    findings, warnings = plan.findings[0], [*plan.findings[1], *cache.warnings]
    if as_json:
        told = document(result)
        output.as_json({**told, "findings": findings, "warnings": [*warnings, *told["warnings"]]})
        return
    output.findings(findings, warnings)
    output.line(f"{plan.config.strategy.told} on {', '.join(map(repr, plan.markets))}")
    output.table(["metric", "value"], result.metrics.items())
    output.line(f"trades: {result.trades.num_rows}")
    if result.stopped is not None:
        output.line(f"stopped early: {result.stopped['reason']}")
    for text in result.warnings:
        output.line(f"warning: {text}")
    output.line(f"identity: {result.identity}")
    output.line(f"digest: {result.digest}")


def _params(texts: list[str]) -> dict[str, Any]:
    from sweep.config.document import Mark, parse_value

    out = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise error(
                1009, f"-p {text} is not name=value", where="sweep backtest", remedy="-p fast_period=10"
            )
        if name.strip() in out:
            raise error(
                1001, f"-p {name.strip()} is given twice", where="sweep backtest", remedy="give it once"
            )
        out[name.strip()] = parse_value(value, Mark(f"-p {text}"))
    return out
