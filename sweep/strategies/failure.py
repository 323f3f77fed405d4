"""Exceptions of a user's code as errors that name the user's line."""

from __future__ import annotations

import traceback

from sweep.errors import Stage, SweepError, error


def failed(problem: BaseException, path: str, what: str, *, stage: Stage = "engine") -> SweepError:
    """[2000] for an exception that `what` in the file `path` raised: its innermost line there, and the traceback.

    One of our own that the user's code provoked keeps its code and its words.
    """
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if frame.filename == path]
    where = f"{path}:{own[-1].lineno}: {own[-1].line}" if own else path
    first = next((n for n, frame in enumerate(frames) if frame.filename == path), 0)
    lines = traceback.format_list(frames[first:])
    text = _unicode("".join(["Traceback:\n", *lines, *traceback.format_exception_only(problem)]).rstrip())
    context = {"traceback": text}
    if isinstance(problem, SweepError):
        return error(
            problem.code, problem.what, where=where, remedy=problem.remedy, stage=stage, context=context
        )
    said = _unicode(str(problem)).strip().splitlines()
    told = f"{type(problem).__name__}: {said[0]}" if said else type(problem).__name__
    return error(2000, f"{what} raised {told}", where=where, stage=stage, context=context)


def _unicode(text: str) -> str:
    """A text that every store takes: a lone surrogate is written as its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
