"""Python's collector of reference cycles, which has little to find here and looks at every trial again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ALLOCATIONS: Final = 200_000
"""Between two collections: some thousand trials."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect seldom, and only among objects that are made inside: trials are freed by their reference counts."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(_ALLOCATIONS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
