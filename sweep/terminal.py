"""Text for a terminal: what strategies and files say must not steer it."""

from __future__ import annotations

from typing import Final

_CONTROL: Final = [*range(0x20), *range(0x7F, 0xA0)]
"""C0, DEL and C1."""
_ESCAPED: Final = {code: f"\\x{code:02x}" for code in _CONTROL if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    r"""The text with control characters other than newline and tab written out, such as `\x1b`."""
    return text.translate(_ESCAPED)
