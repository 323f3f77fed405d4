"""YAML 1.2 and its traps: what a scalar means, and where a mistake stands."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sweep.config import load
from sweep.config.document import Mark, parse
from sweep.errors import SweepError


def value(text: str) -> Any:
    return parse(f"a: {text}\n", Mark("test")).tree["a"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e-5", 1e-5),
        ("5e3", 5000.0),
        ("1.e3", 1000.0),
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("12:30:00", "12:30:00"),
        ("2012-02-01", date(2012, 2, 1)),
        ("'2012-02-01'", "2012-02-01"),
        ("true", True),
        ("~", None),
        ("null", None),
        ("'null'", "null"),
        ("1_000", 1000),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, expected: object) -> None:
    got = value(text)
    assert got == expected
    assert type(got) is type(expected)


def test_values_are_plain_even_when_anchored() -> None:
    tree = parse("a: &x true\nb: *x\nc: &y 7\nd: *y\ne: &z 1.5\nf: |\n  text\n", Mark("test")).tree
    assert [type(item) for item in tree.values()] == [bool, bool, int, int, float, str]
    assert tree["b"] is True


def test_a_merge_key_is_expanded() -> None:
    tree = parse("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\n", Mark("test")).tree
    assert tree["use"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("search:\n  trials: 1\n  trials: 2\n", 3, "duplicate key"),
        ("market: {symbol: A, symbol: B}\n", 1, "duplicate key"),
        ("a:\n\t- 1\n", 2, "cannot start any token"),
        ("a: [1,\n2\n", 3, "']'"),
        ("a: b: c\n", 1, "mapping values"),
        ("a: 1\n---\nb: 2\n", 2, "another document"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "tag"),
        ("a: 1\nb: !mine x\n", 2, "tag"),
        ("a: 1\nb: !!set {x, y}\n", 2, "tag"),
    ],
)
def test_syntax_errors_name_file_and_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(SweepError) as caught:
        load(path)
    assert caught.value.code == 1009
    assert f"{path}:{line}" in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 1010),
        (b"# only a comment\n", 1010),
        (b"- 1\n", 1009),
        (b"just text\n", 1009),
        (b"%YAML 1.1\n---\na: on\n", 1009),
        (b"\xff\xfea\x00:\x00", 1009),
        (b"a: \x00\n", 1009),
        (b"a: &a {b: *a}\n", None),
        (b"1: x\n", 1004),
        (b"~: x\n", 1004),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, content: bytes, code: int | None) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(SweepError) as caught:
        load(path)
    assert code in (None, caught.value.code)
    assert caught.value.stage == "config"
    assert str(path) in str(caught.value)


def test_a_byte_order_mark_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(
        b"\xef\xbb\xbfmarket: {synthetic: {bars: 10}}\nstrategy: {name: a}\nsearch: {trials: 1}\n"
    )
    assert load(path).strategy.name == "a"


def test_exponential_aliases_are_stopped() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    with pytest.raises(SweepError, match="aliases expanded"):
        parse("\n".join(rows), Mark("bomb"))


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_missing_file_is_a_config_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(SweepError) as caught:
        load(tmp_path / name)
    assert (caught.value.code, caught.value.stage) == (3001, "config")
