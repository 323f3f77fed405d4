"""RESULTS.md: one section per heading of the second level, each written by one benchmark and left alone by the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("RESULTS.md")


def with_section(page: str, section: str) -> str:
    """The page with its section of the same heading, the first line, replaced; or with the section at its end."""
    heading = section.partition("\n")[0]
    pattern = re.compile(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    section = section.rstrip("\n") + "\n"
    if not pattern.search(page):
        return f"{page.rstrip()}\n\n{section}" if page.strip() else section
    return pattern.sub(lambda found: section + ("\n" if found.end() < len(page) else ""), page, count=1)


def write(section: str) -> None:
    """Put a section into the page."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Results of the benchmarks\n"
    PAGE.write_text(with_section(page, section), encoding="utf-8")
