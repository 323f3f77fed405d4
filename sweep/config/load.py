"""From a file or a mapping to a checked `Config`; and `located`, which tells later checks where a key stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from sweep.config import files
from sweep.config import overrides as overriding
from sweep.config.base import Section
from sweep.config.document import Mark, of_mapping, read
from sweep.config.explain import explain
from sweep.config.model import Config
from sweep.config.problems import together
from sweep.config.schema import plain_schema
from sweep.errors import SweepError, error

S = TypeVar("S", bound=Section)


def load(
    source: str | Path | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    home: Path | None = None,
    searching: bool = True,
) -> Config:
    """Reads and checks a config, all problems of it reported together in one error.

    `source` is a YAML file or a mapping; `overrides` are texts `a.b=c`. Relative paths start in the file's folder, in
    overrides and mappings in the working directory. `home` holds the default tracking database; it defaults to the
    environment variable SWEEP_HOME, then to the working directory. Where nothing is searched, the section `search` may
    be absent.

    Errors: [3001] [3002] the file, [1009] its syntax, [1001] unknown key or word, [1004] wrong type, [1003] out of
    range, [1006] keys that exclude each other, [1008] a missing key, [4001] a key that this version lacks; [1000] for
    several of them at once, one per line.
    """
    if isinstance(source, Mapping):
        document = of_mapping(source, Mark("config"))
    else:
        document = read(Path(source))
        if document.tree.get("study") is None:
            document.tree["study"] = Path(source).stem
    overriding.apply(document, overrides, Path.cwd())
    problems = files.resolve(document, home_folder(home))
    if not searching:
        document.tree.setdefault("search", {"sampler": "grid"})
    try:
        config = Config.model_validate(document.tree)
    except ValidationError as failure:
        problems.extend(explain(failure, document, plain_schema(), ()))
    if problems:
        raise together(problems, document.root.origin)
    config._source = document
    return config


def section(kind: type[S], keys: Mapping[str, Any], name: str) -> S:
    """One section from keyword arguments, with the same checks and messages; `name` stands before its keys."""
    document = of_mapping({key: value for key, value in keys.items() if value is not None}, Mark(name))
    try:
        return kind.model_validate(document.tree)
    except ValidationError as failure:
        raise together(explain(failure, document, kind.model_json_schema(), (name,)), name) from None


def home_folder(home: Path | None = None) -> Path:
    """Folder of `studies/` and of the default tracking database, absolute: `home`, else SWEEP_HOME, else here."""
    return Path(home or os.environ.get("SWEEP_HOME") or ".").expanduser().resolve()


@contextmanager
def located(config: Config) -> Iterator[None]:
    """Adds file and line to config errors raised inside whose place is a key of `config`.

    For checks that only a later layer can make: parameters, ranges, expressions. Their errors name the key
    (`search.space.window_length`) first in `where`.
    """
    try:
        yield
    except SweepError as problem:
        key = problem.where.split(maxsplit=1)[0].rstrip(":;,") if problem.where.strip() else ""
        place = config.locate(key)
        if problem.stage != "config" or place == key:
            raise
        raise error(
            problem.code,
            problem.what,
            where=place + problem.where[len(key) :],
            remedy=problem.remedy,
            context=problem.context,
        ) from problem


__all__ = ["home_folder", "load", "located", "section"]
