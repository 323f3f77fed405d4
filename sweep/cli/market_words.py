"""The words that name data: `[FILE|CONFIG.yaml] [key=value …]`, to a checked section `market`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from sweep.config import files, home_folder
from sweep.config import overrides as overriding
from sweep.config.document import Document, Mark, of_mapping, read
from sweep.config.explain import explain
from sweep.config.market import MarketConfig
from sweep.config.problems import together
from sweep.errors import error
from sweep.market.check import STAND_IN

_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*=")
_VERBATIM: Final = ("market.csv.separator", "market.time_format")
"""Their values are taken as they stand: `,` and `%d.%m.%Y` are not YAML."""
_SECTIONS: Final = ("market", "symbol_specs")


@dataclass(frozen=True)
class Request:
    """Data that were named."""

    config: MarketConfig
    keys: Mapping[str, Any]
    """The section as it was written, paths absolute."""
    symbol_specs: Mapping[str, Any]
    left_open: frozenset[str]
    """Keys that were not named and hold a stand-in."""


def is_key(word: str) -> bool:
    """Whether a word is `key=value`, not the name of a file."""
    return _KEY.match(word) is not None


def request(words: Sequence[str], command: str, *, ticks: bool = False, home: Path | None = None) -> Request:
    """The data that the words of a command name; paths are absolute.

    Raises:
        SweepError: [1001] nothing or two files named, or a config of several symbols and none of them, [3001] no such config, and what `config.load` raises.
    """
    document = _document([word for word in words if not is_key(word)], command, ticks)
    words = _one_symbol(document, words, command)
    overriding.apply(document, list(_overrides(word for word in words if is_key(word))), Path.cwd())
    problems = files.resolve(document, home_folder(home))
    market, specs = document.tree.get("market"), document.tree.get("symbol_specs")
    if not isinstance(market, dict) or problems:
        raise together(problems, document.root.origin) if problems else _nothing(command)
    keys = dict(market)
    left_open = _stand_in(market)
    section = Document(market, document.root)
    section.marks = {path[1:]: mark for path, mark in document.marks.items() if path[0] == "market"}
    try:
        config = MarketConfig.model_validate(market)
    except ValidationError as failure:
        found = explain(failure, section, MarketConfig.model_json_schema(), ("market",))
        raise together(found, document.root.origin) from None
    return Request(config, keys, specs or {}, left_open)


def _document(sources: Sequence[str], command: str, ticks: bool) -> Document:
    if len(sources) > 1:
        raise error(
            1001,
            f"{len(sources)} files",
            where=f"sweep data {command}",
            remedy=f"say which is which: bid={sources[0]} ask={sources[1]}",
        )
    name = f"sweep data {command}"
    if not sources:
        return of_mapping({}, Mark(name))
    if sources[0].endswith((".yaml", ".yml")):
        document = read(Path(sources[0]))
        document.tree = {key: document.tree[key] for key in _SECTIONS if key in document.tree}
        return document
    document = of_mapping({"market": {"ticks" if ticks else "file": sources[0]}}, Mark(name))
    document.root = Mark(name, folder=Path.cwd())
    return document


def _one_symbol(document: Document, words: Sequence[str], command: str) -> Sequence[str]:
    """Of a config of several symbols leaves the one that `symbol=` names, and gives the other words."""
    markets = document.tree.get("market")
    if not isinstance(markets, list):
        return words
    symbols = [market.get("symbol") if isinstance(market, dict) else None for market in markets]
    named = [word for word in words if word.partition("=")[0] in ("symbol", "market.symbol")]
    wanted = named[-1].partition("=")[2] if named else None
    if wanted not in symbols or wanted is None:
        known = " or ".join(f"symbol={symbol}" for symbol in symbols if symbol)
        what = "a config of several symbols" if wanted is None else f"no market of {wanted}"
        raise error(1001, what, where=f"sweep data {command}", remedy=f"name one: {known}")
    number = symbols.index(wanted)
    marks = {path[2:]: mark for path, mark in document.marks.items() if path[:2] == ("market", number)}
    document.tree["market"] = markets[number]
    document.graft(("market",), Document({}, document.root, marks))
    return [word for word in words if word not in named]


def _overrides(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        key, _, value = word.partition("=")
        if key.split(".")[0] not in _SECTIONS:
            key = f"market.{key}"
        if key in _VERBATIM and value and value[0] not in "\"'":
            value = json.dumps(value)
        yield f"{key}={value}"


def _stand_in(market: dict[str, Any]) -> frozenset[str]:
    wanted = ["symbol", "timeframe"] if market.get("synthetic") is None else []
    if market.get("file") is not None:
        wanted.append("spread_pips")
    left_open = [key for key in wanted if market.get(key) is None]
    # Whether a file needs a spread is not known before it has been read.
    market.update((key, STAND_IN[key]) for key in left_open if key != "spread_pips")
    return frozenset(left_open)


def _nothing(command: str) -> Exception:
    return error(
        1001,
        "no data named",
        where=f"sweep data {command}",
        remedy="name a file, a config, or bid=FILE ask=FILE",
    )
