"""Draw what a command prints: `picture.py HOME OUTPUT.svg ARGUMENT...` runs `sweep ARGUMENT...` in colour on HOME."""

from __future__ import annotations

import html
import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 110
CELL = 12.2
"""Width of a character in the SVG."""
TEXT = re.compile(
    r'x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+"([^>]*)>((?:&#160;)*)(.*?)((?:&#160;)*)</text>'
)


def capture(home: str, arguments: list[str]) -> str:
    """Standard output of the command, with its colours."""
    command = [str(Path(sys.executable).with_name("sweep")), *arguments]
    terminal = {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "COLUMNS": str(WIDTH), "TERM": "xterm-256color"}
    environment = {**os.environ, **terminal, "SWEEP_HOME": home}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def trimmed(text: re.Match[str]) -> str:
    """A run of text without outer spaces, which some viewers drop, at the place where its first character stood."""
    x, y, attributes, before, body, _ = text.groups()
    start = float(x) + CELL * before.count("&#160;")
    width = CELL * len(html.unescape(body))
    return f'x="{start:.1f}" y="{y}" textLength="{width:.1f}"{attributes}>{body}</text>'


def draw(title: str, output: str) -> str:
    """The output as SVG, with the fonts of the reader's machine."""
    console = Console(
        width=WIDTH, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(output.strip("\n")))
    svg = console.export_svg(title=title, unique_id="sweep")
    return TEXT.sub(trimmed, re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL))


def main(home: str, target: str, *arguments: str) -> None:
    """Run, draw, write."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(draw(f"sweep {' '.join(arguments)}", capture(home, list(arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
