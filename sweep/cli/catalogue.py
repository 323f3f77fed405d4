"""`strategies`, `indicators`, `schema`: catalogues, from the declarations in Rust."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from sweep.cli import output
from sweep.cli.options import Debug, Json

strategies = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The strategies and their parameters.",
    epilog="Example: sweep strategies show ma_cross",
)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(strategies, name="strategies")
    strategies.command("list", epilog="Example: sweep strategies list")(list_strategies)
    strategies.command("show", epilog="Example: sweep strategies show ma_cross")(show_strategy)
    strategies.command("new", epilog="Example: sweep strategies new my_rules --kind rust")(new_strategy)
    app.command(epilog="Example: sweep indicators rsi")(indicators)
    app.command(epilog="Example: sweep schema > sweep.schema.json")(schema)


def list_strategies(as_json: Json = False, debug: Debug = False) -> None:
    """Lists the strategies."""
    known = _declarations()
    if as_json:
        output.as_json(known)
        return
    output.table(
        ["strategy", "version", "parameters", "title"],
        [[item["id"], item["version"], len(item["parameters"]), item["title"]] for item in known],
    )


def show_strategy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Strategy.", show_default=False)],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Shows a strategy's parameters: type, default, default search range, meaning."""
    from sweep.build import native

    item = native(name)
    if as_json:
        output.as_json(item)
        return
    output.line(f"{item['id']} {item['version']}: {item['title']}")
    output.line(str(item["doc"]))
    output.line(f"warm-up: {item['warmup']}")
    families = item.get("families", ())
    entries = [*item["parameters"], *families]
    rows = [[p["name"], type_of(p), default_of(p), "; ".join(ranges_of(p)), p["doc"]] for p in entries]
    output.table(["parameter", "type", "default", "searched", "meaning"], rows)
    for part, texts in {p["name"]: p["texts"] for family in families for p in family["parts"]}.items():
        output.line(f"{{{part}}}: {', '.join(texts)}")
    for rule in item["constraints"]:
        output.line(f"{rule['severity']}: {rule['expr']}  ({rule['message']})")


def new_strategy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Strategy.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", help="signals, python or rust.")] = "signals",
    debug: Debug = False,
) -> None:
    """Writes a small strategy that works into a new folder, to be changed into one's own.

    signals: a vectorised function in Python. python: a class that decides bar by bar, slow. rust: a package with a native
    module of its own.
    """
    from sweep.strategies.skeleton import write

    files = write(name, kind, Path.cwd())
    for path in files:
        output.line(str(path.relative_to(Path.cwd())))
    output.line(f"read {name}/README.md")


def indicators(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One indicator in full.", show_default=False)
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Lists the indicators, or shows one: parameters and their limits, outputs, formula, first valid index."""
    from sweep.indicators import allowed, catalogue, declaration, first_of

    if name is None:
        known = catalogue()
        if as_json:
            output.as_json(known)
            return
        rows = [
            [item["id"], item["title"], _call(item), ", ".join(item["outputs"]), item["first"], item["on"]]
            for item in known
        ]
        output.table(["indicator", "what it is", "parameters", "outputs", "first", "on"], rows)
        output.line("first: index of the first value; formula, limits and source: sweep indicators NAME")
        return
    item = declaration(name)
    if as_json:
        output.as_json(item)
        return
    output.line(f"{item['id']}: {item['title']}")
    output.line(f"formula: {item['formula']}")
    output.line(f"outputs: {', '.join(item['outputs'])}")
    output.line(f"first value at: {first_of(item)}")
    output.line(f"on a higher timeframe: on={item['on']} unless said otherwise")
    output.line(f"source: {item['source']}")
    shown = [
        [p["name"], "required" if p["required"] else default_of(p), allowed(p), p["doc"]]
        for p in item["parameters"]
    ]
    output.table(["parameter", "default", "values", "meaning"], shown)


def _call(item: Mapping[str, Any]) -> str:
    """Parameters with their defaults, as in a call."""
    words = [p["name"] if p["required"] else f"{p['name']}={default_of(p)}" for p in item["parameters"]]
    return ", ".join(words)


def schema(as_json: Json = False, debug: Debug = False) -> None:
    """Prints the JSON Schema of the config, for editors."""
    from sweep.config import json_schema

    typer.echo(json.dumps(json_schema(_declarations()), indent=None if as_json else 2))


def _declarations() -> list[Mapping[str, Any]]:
    """Of all strategies; those of plug-ins that cannot be used are named on standard error."""
    from sweep.strategies.natives import declarations

    known, problems = declarations()
    for problem in problems:
        output.line(f"warning: {problem}", err=True)
    return known


def type_of(parameter: Mapping[str, Any]) -> str:
    """Type of a declared parameter's values."""
    return f"{parameter['type']}{' or none' if parameter['optional'] else ''}"


def default_of(parameter: Mapping[str, Any]) -> str:
    """Default of a declared parameter."""
    value = parameter["default"]
    return "none" if value is None else output.number(value)


def ranges_of(parameter: Mapping[str, Any]) -> Iterator[str]:
    """Default search ranges of a declared parameter, in words."""
    for item in parameter["ranges"]:
        if item.get("choices") is not None:
            choices = [output.number(choice) for choice in item["choices"]]
            text = " ".join(choices if len(choices) <= 8 else [*choices[:3], "…", choices[-1]])
        else:
            step = "" if item.get("step") is None else f" step {output.number(item['step'])}"
            text = f"{output.number(item['low'])} to {output.number(item['high'])}{step}"
            text += ", log" if item.get("log") else ""
        yield f"{text} if {item['when']}" if item.get("when") else text
