"""The section `gates`: what is read, in which order, what is written out, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from sweep.config import dump, load, resolved
from sweep.errors import SweepError
from tests.config.support import MINIMAL, lines, minimal, write

ROOT = Path(__file__).parents[2]
EVENTS = "time,currency,impact\n2020-01-07T13:30:00Z,USD,high\n"
WRITTEN = """\
gates:
  news: {events: events.csv, before_minutes: 5}
  cooldown: {after_exit_bars: 2}
  anchored: [{anchor: asia, from: "01:00", to: "+02:00"}]
  sessions: [{start: "22:00", end: "02:00"}]
"""


def refused(gates: Any) -> tuple[int, str]:
    """Code and message."""
    with pytest.raises(SweepError) as caught:
        resolved(load({**minimal(), "gates": gates}))
    return caught.value.code, "\n".join(lines(caught))


def test_order_is_kept_paths_start_at_the_file_and_defaults_are_written_out(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    config = resolved(load(write(tmp_path, MINIMAL + WRITTEN)))
    assert list(config.gates) == ["news", "cooldown", "anchored", "sessions"]
    assert config.gates == {
        "news": {"events": str(tmp_path / "events.csv"), "before_minutes": 5, "after_minutes": 30},
        "cooldown": {
            "after_exit_bars": 2,
            "after_exit_minutes": 0,
            "after_signal_bars": 0,
            "after_signal_minutes": 0,
        },
        "anchored": [{"anchor": "tokyo", "from": "+01:00", "to": "+02:00"}],
        "sessions": [
            {
                "start": "22:00",
                "end": "02:00",
                "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                "zone": "UTC",
            }
        ],
    }
    again = load(write(tmp_path, dump(config), "again.yaml"))
    assert list(again.gates.items()) == list(config.gates.items())


@pytest.mark.parametrize(
    "nothing", [{}, None, {"news": None}, {"cooldown": {}}, {"cooldown": {"after_exit_bars": 0}}]
)
def test_what_is_off_is_not_there(nothing: Any) -> None:
    assert resolved(load({**minimal(), "gates": nothing})).gates == {}


def test_overrides_reach_into_it(tmp_path: Path) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    file = write(tmp_path, MINIMAL + WRITTEN)
    config = load(file, ["gates.cooldown.after_exit_bars=7", "gates.news="])
    assert resolved(config).gates["cooldown"]["after_exit_bars"] == 7
    assert list(resolved(config).gates) == ["cooldown", "anchored", "sessions"]


@pytest.mark.parametrize(
    ("gates", "code", "mentions"),
    [
        ({"session": []}, 1001, "did you mean sessions"),
        ({"sessions": [{"start": "08:00", "end": "08:00"}]}, 1001, "gates.sessions.0"),
        ({"sessions": [{"start": "08:00"}]}, 1008, "end"),
        ({"sessions": [{"start": "8", "end": "09:00"}]}, 1009, "gates.sessions.0.start"),
        ({"sessions": [{"start": "08:00", "end": "09:00", "zone": "Paris"}]}, 1001, "IANA"),
        ({"anchored": [{"anchor": "paris", "from": "00:00", "to": "01:00"}]}, 1001, "anchor"),
        ({"anchored": [{"anchor": "london", "from": "02:00", "to": "01:00"}]}, 1001, "gates.anchored.0"),
        ({"news": {}}, 1008, "events"),
        ({"news": {"events": [{"time": "noon", "currency": "USD"}]}}, 1009, "gates.news.events.0.time"),
        ({"news": {"events": [], "before_minutes": -1}}, 1003, "before_minutes"),
        ({"news": {"events": [], "blocks": {"USD": "EUR"}}}, 1001, "gates.news.blocks.USD"),
        ({"cooldown": {"after_exit": 1}}, 1001, "after_exit_bars"),
        ({"cooldown": {"after_exit_bars": 1.5}}, 1004, "after_exit_bars"),
    ],
)
def test_mistakes_are_named(gates: Any, code: int, mentions: str) -> None:
    found, message = refused(gates)
    assert (found, mentions in message) == (code, True), message


def test_the_examples_are_valid(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(gates:.*?)```", (ROOT / "docs" / "gates.md").read_text(), re.DOTALL)
    (tmp_path / "calendar.csv").write_text(EVENTS)
    config = resolved(load(write(tmp_path, MINIMAL + example)))
    assert list(config.gates) == ["sessions", "anchored", "news", "cooldown"]
    file = ROOT / "configs" / "gbpusd.yaml"
    commented = re.sub(r"(?m)^# (?=gates:|  (sessions|cooldown):)", "", file.read_text())
    assert list(resolved(load(write(tmp_path, commented, "gbpusd.yaml"))).gates) == ["sessions", "cooldown"]
