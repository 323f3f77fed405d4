"""Control characters of others do not reach the terminal; everything else does as it is."""

from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.progress import Bar, Lines
from sweep.terminal import printable


@given(st.text())
def test_control_characters_are_written_out_and_nothing_else_changes(text: str) -> None:
    shown = printable(text)
    assert {c for c in shown if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
    steering = {c for c in text if unicodedata.category(c) == "Cc"} - {"\n", "\t"}
    expected = "".join(c.encode("unicode_escape").decode() if c in steering - {"\r"} else c for c in text)
    assert shown == expected.replace("\r", "\\x0d")


def test_notes_of_a_running_study(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    Lines(stream).note("red \x1b[31m")
    assert stream.getvalue() == "red \\x1b[31m\n"
    monkeypatch.setenv("TERM", "xterm")
    Bar().note("red \x1b[31m")
    assert capsys.readouterr().err == "red \\x1b[31m\n"
