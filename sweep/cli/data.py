"""`data import|check|describe|resample|synth`: files before they become a study's market."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from sweep.cli import output
from sweep.cli.options import Debug, Home, Json, Verify
from sweep.errors import SweepError, error

if TYPE_CHECKING:
    from sweep.cli.market_words import Request
    from sweep.market import Market
    from sweep.market.check import Check

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Datasets: check files, look at them, make them, keep them.",
    epilog="Example: sweep data check bars.csv",
)

_TIMEFRAME: Final = re.compile(r"[MHDW][1-9][0-9]{0,4}")
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE|CONFIG] [key=value]...",
        help="One file, or a config; then keys of its section market: bid=b.parquet ask=a.parquet symbol=EURUSD.",
        show_default=False,
    ),
]
Ticks = Annotated[bool, typer.Option("--ticks", help="FILE holds ticks: times, bids and asks.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(data, name="data")
    data.command(
        "check", epilog="Example: sweep data check bid=bid.parquet ask=ask.parquet symbol=GBPUSD timeframe=M5"
    )(check)
    data.command(
        "import", epilog="Example: sweep data import bars.csv symbol=EURUSD timeframe=H1 spread_pips=0.8"
    )(import_)
    data.command("describe", epilog="Example: sweep data describe study.yaml --html market.html")(describe)
    data.command(
        "resample", epilog="Example: sweep data resample bars.parquet H1 --to hours.parquet day.zone=UTC"
    )(resample)
    data.command(
        "synth", epilog="Example: sweep data synth --bars 100000 --symbol EURUSD --timeframe M5 --to data"
    )(synth)


def check(
    words: Words = None, ticks: Ticks = False, home: Home = None, as_json: Json = False, debug: Debug = False
) -> None:
    """Checks files against the data contract and reports all that is wrong or remarkable. Exit 3 if refused.

    A file alone is enough. What is not named is left open: without a symbol, lengths are in units of price; without a
    timeframe, the most common step is taken.
    """
    found = _check(_request(words, "check", ticks=ticks, home=home))
    if as_json:
        output.as_json(found.to_dict())
    else:
        _print_check(found)
    raise typer.Exit(0 if found.accepted else 3)


def import_(
    words: Words = None,
    ticks: Ticks = False,
    verify: Verify = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Checks files and keeps them in the dataset cache under the digest of their content.

    `symbol` and `timeframe` must be named, and `spread_pips` for one side.
    """
    from sweep.cli.options import dataset_cache
    from sweep.market.findings import summary
    from sweep.market.load import load

    named = _request(words, "import", ticks=ticks, home=home)
    _complete(named)
    cache = dataset_cache(home, verify=verify)
    try:
        market = load(
            named.config.model_copy(update={"window": (None, None)}), named.symbol_specs, cache=cache
        )
    except SweepError as problem:
        if problem.stage == "data":
            _accepted(named, as_json)  # says all that is wrong, not the first thing only
        raise
    if cache.failures:
        raise cache.failures[0]
    file = cache.path(market.digest)
    first, last = _span(market)
    findings, warnings = summary([market])
    warnings += cache.warnings
    if as_json:
        about = {"digest": market.digest, "bars": market.bars, "first": first, "last": last, "file": file}
        output.as_json({**about, "findings": findings, "warnings": warnings, "market": named.keys})
        return
    output.findings(findings, warnings)
    output.line(f"{market.symbol} {market.timeframe}: {market.bars:,} bars, {first} to {last}")
    output.line(f"digest: {market.digest}")
    output.line(f"kept in: {file}")
    output.line()
    output.line(_yaml({"market": named.keys}))


def describe(
    words: Words = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with charts, which needs no network."),
    ] = None,
    ticks: Ticks = False,
    force: Force = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Span, traded hours, gaps, spreads by hour, daily ranges, volume, with charts."""
    from sweep.cli.data_words import described, hours
    from sweep.market import charts, export
    from sweep.market.describe import describe as numbers

    page = None if html is None else export.target(html, (".html", ".htm"), force=force)
    named = _request(words, "describe", ticks=ticks, home=home)
    found, market = _accepted(named, as_json)
    about = numbers(market, left_open=found.left_open)
    if page is not None:
        export.whole(page, lambda path: path.write_text(charts.page(market, about), encoding="utf-8"))
    if as_json:
        output.as_json({**about.to_dict(), "notes": found.notes, "html": page})
        return
    for note in found.notes:
        output.line(f"note: {note}")
    plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    width = shutil.get_terminal_size().columns
    for text in described(about, named=found.symbol is not None, width=width, plain=plain):
        output.line(text)
    output.table(*hours(about))
    if page is not None:
        output.line(f"page: {page}")


def resample(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|CONFIG] TIMEFRAME [key=value]...",
            help="Data as for check, and the timeframe wanted; day.zone and day.start_hour say when a day begins.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            metavar="FILE",
            help=".parquet, .csv or .feather; of two sides, FILE_bid and FILE_ask.",
            show_default=False,
        ),
    ] = None,
    ticks: Ticks = False,
    force: Force = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Writes bars of a higher timeframe, or bars of ticks. Unfinished bars at the end are left out."""
    from sweep.market import export

    timeframe, rest = _target(words or [])
    if to is None:
        raise error(1008, "--to is missing", where="sweep data resample", remedy=f"--to {timeframe}.parquet")
    named = _request(rest, "resample", ticks=ticks, home=home)
    files = export.targets(to, ("bid", "ask"), force=force) if named.config.file is None else {}
    if named.config.ticks is not None:
        config = named.config.model_copy(update={"timeframe": timeframe})
        named = replace(named, config=config, left_open=named.left_open - {"timeframe"})
    found, market = _accepted(named, as_json)
    if named.config.ticks is None:
        _allow_higher(timeframe, market)
    if not files:
        one_sided = any(side.side == "file" for side in found.sides)
        files = export.targets(to, ("file",) if one_sided else ("bid", "ask"), force=force)
    table = market.to_table() if named.config.ticks is not None else market.resample(timeframe)
    tables = export.sides(table)
    export.write({**tables, "file": tables["bid"]}, files)
    if as_json:
        output.as_json({"timeframe": timeframe, "bars": table.num_rows, "files": files, "notes": found.notes})
        return
    for note in found.notes:
        output.line(f"note: {note}")
    for path in files.values():
        output.line(f"{path}: {table.num_rows:,} bars of {timeframe}")


def synth(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[key=value]...",
            help="Other keys of synthetic: start, price, volatility, spread_pips, jump_rate, gap_rate, weekends; "
            "symbol_specs=FILE.",
            show_default=False,
        ),
    ] = None,
    bars: Annotated[int, typer.Option("--bars", help="Number of bars.")] = 100_000,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder; made if absent.")] = Path(),
    symbol: Annotated[str, typer.Option("--symbol", help="Symbol.")] = "EURUSD",
    symbols: Annotated[
        str | None,
        typer.Option("--symbols", help="Several symbols of one seed: EURUSD,GBPUSD.", show_default=False),
    ] = None,
    timeframe: Annotated[str, typer.Option("--timeframe", help="Timeframe.")] = "M5",
    seed: Annotated[int, typer.Option("--seed", help="Seed.")] = 42,
    correlation: Annotated[float, typer.Option("--correlation", help="Between the symbols, 0 to 1.")] = 0.0,
    suffix: Annotated[
        Literal["parquet", "csv", "feather"], typer.Option("--format", help="Format of the files.")
    ] = "parquet",
    force: Force = False,
    home: Home = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Writes a synthetic market to files, bid and ask: the bars of market.synthetic, to the bit."""
    from sweep.market import Market, export
    from sweep.market.specs import symbol_spec

    keys = {"bars": bars, "seed": seed, "correlation": correlation, **_synthetic(words or [])}
    specs = keys.pop("symbol_specs", None)
    specs = Path(specs).expanduser().absolute() if isinstance(specs, str) else specs
    names = [name.strip() for name in (symbols or symbol).split(",")]
    places = {
        name: export.targets(
            to.absolute() / f"{symbol_spec(name, specs)['symbol']}_{timeframe}.{suffix}",
            ("bid", "ask"),
            force=force,
        )
        for name in names
    }
    made: list[dict[str, Any]] = []
    for name, files in places.items():
        market = Market.synthetic(symbol=name, timeframe=timeframe, symbol_specs=specs, **keys)
        to.mkdir(parents=True, exist_ok=True)
        export.write(export.sides(market.to_table()), files)
        section = {"symbol": name, "timeframe": timeframe, **files}
        own = {} if specs is None else {"symbol_specs": specs}
        made.append({"digest": market.digest, "bars": market.bars, "market": section, **own})
    if as_json:
        output.as_json(made)
        return
    for item in made:
        output.line(f"{item['market']['symbol']}: {item['bars']:,} bars, digest {item['digest']}")
    for item in made:
        output.line()
        output.line(_yaml({key: item[key] for key in ("market", "symbol_specs") if key in item}))


def _request(words: list[str] | None, command: str, *, ticks: bool, home: Path | None) -> Request:
    from sweep.cli.market_words import request

    return request(words or [], command, ticks=ticks, home=home)


def _check(named: Request) -> Check:
    from sweep.market.check import check as examine

    return examine(named.config, named.symbol_specs, left_open=named.left_open)


def _accepted(named: Request, as_json: bool) -> tuple[Check, Market]:
    """The check of data that are accepted, and their market, cut to its window.

    The report of data that are refused is printed before the error.
    """
    found = _check(named)
    if found.market is None:
        if not as_json:
            _print_check(found)
        raise found.refusal()
    start, end = named.config.window
    if start is None and end is None:
        return found, found.market
    return found, found.market.window(start, end, 0)


def _complete(named: Request) -> None:
    """A dataset is kept for studies, so nothing may be left open; what the files say is named in the error."""
    if named.config.synthetic is not None:
        remedy = "a config may name it as it is; sweep data synth writes files"
        raise error(1001, "a generated market needs no import", where="sweep data import", remedy=remedy)
    examples = {"symbol": "EURUSD", "timeframe": "M5"}
    for key in (key for key in examples if key in named.left_open):
        what = f"market.{key} is missing"
        found = _check(named) if key == "timeframe" else None
        if found is not None and found.spacing is not None and found.timeframe is not None:
            examples[key] = found.timeframe
            what += f"; {100 * found.spacing.share:.3g} % of the steps are {found.timeframe}"
        raise error(1008, what, where="sweep data import", remedy=f"add {key}={examples[key]}")


def _span(market: Market) -> tuple[str, str]:
    """Labels of the first and the last bar."""
    from sweep.market.describe import iso

    report = market.report
    return iso(report["first"]), iso(report["last"])


def _print_check(found: Check) -> None:
    from sweep.cli.data_words import checked

    for text in checked(found):
        output.line(text)


def _allow_higher(timeframe: str, market: Market) -> None:
    """Refuses a timeframe that bars of this market cannot make."""
    from sweep import _core

    try:
        _core.check_higher(timeframe, market.timeframe)
    except SweepError as problem:
        problem.where = f"sweep data resample {timeframe}"
        raise


def _target(words: list[str]) -> tuple[str, list[str]]:
    """The timeframe among the words, and the other words."""
    for index, word in enumerate(words):
        if _TIMEFRAME.fullmatch(word):
            return word, words[:index] + words[index + 1 :]
    raise error(
        1008,
        "no timeframe to resample to",
        where="sweep data resample",
        remedy="sweep data resample bars.parquet H1 --to hours.parquet",
    )


def _synthetic(words: list[str]) -> dict[str, Any]:
    """Keys of `synthetic`, and `symbol_specs`, from words."""
    from sweep.cli.market_words import is_key
    from sweep.config.document import Mark, parse_value

    keys = {}
    for word in words:
        if not is_key(word):
            raise error(1009, f"{word} is not key=value", where="sweep data synth", remedy="volatility=0.2")
        name, _, value = word.partition("=")
        keys[name.removeprefix("market.").removeprefix("synthetic.")] = parse_value(value, Mark(word))
    return keys


def _yaml(tree: Mapping[str, Any]) -> str:
    """A mapping as YAML, to be pasted into a config; paths as text."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    out = StringIO()
    yaml.dump(_plain(tree), out)
    return out.getvalue().rstrip()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value
