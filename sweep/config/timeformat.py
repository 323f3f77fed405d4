"""Formats of times as text: the strptime directives that a data file may use, taken apart and checked."""

from __future__ import annotations

from typing import Any, Final

from sweep.config.problems import invalid

DIRECTIVES: Final = "YymbBdHIMSfpz"
_REMEDY: Final = "write for example '%d.%m.%Y %H:%M:%S.%f'"
_MONTH: Final = {"b": "m", "B": "m"}
_SLOT: Final = {"y": "Y", **_MONTH, "I": "H"}
"""Directives that fill the same part of a time."""
_NEEDS: Final = {"M": "H", "S": "M", "f": "S"}


def pieces(text: str) -> tuple[str, ...]:
    """A format as directives (`%d`) and the literal characters between them, `%%` as `%`.

    Raises:
        PydanticCustomError: [1009] an unknown directive, a part of the time twice, or a date that is not complete.
    """
    found: list[str] = []
    rest = iter(text)
    for char in rest:
        if char != "%":
            found.append(char)
            continue
        directive = next(rest, "")
        if directive == "%":
            found.append("%")
        elif directive and directive in DIRECTIVES:
            found.append(f"%{directive}")
        else:
            known = " ".join(f"%{known}" for known in DIRECTIVES)
            raise invalid(1009, f"unknown directive %{directive} in {{path}}", f"known: {known} %%")
    _complete([piece[1] for piece in found if len(piece) == 2])
    return tuple(found)


def not_empty(text: Any) -> Any:
    """Any value but the empty text."""
    if text == "":
        raise invalid(1009, "{path} is empty", f"{_REMEDY}, or leave it out if times are ISO 8601")
    return text


def checked(text: str) -> str:
    """The format itself if `pieces` takes it."""
    pieces(text)
    return text


def _complete(directives: list[str]) -> None:
    slots = [_SLOT.get(directive, directive) for directive in directives]
    twice = sorted({slot for slot in slots if slots.count(slot) > 1})
    if twice:
        raise invalid(1009, f"{{path}} says %{twice[0]} twice", _REMEDY)
    missing = [slot for slot in "Ymd" if slot not in slots]
    missing += [_NEEDS[slot] for slot in slots if slot in _NEEDS and _NEEDS[slot] not in slots]
    if missing:
        raise invalid(1009, f"{{path}} has no %{missing[0]}", _REMEDY)
    if ("I" in directives) != ("p" in directives):
        raise invalid(1009, "{path} needs %I and %p together", _REMEDY)
