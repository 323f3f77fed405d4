"""Names of the public interface that are not built say so, and `hasattr` stays a question."""

from __future__ import annotations

import pytest

import sweep
from sweep.errors import SweepError


@pytest.mark.parametrize(
    "name",
    ["testing"],
)
def test_a_planned_name_is_4001(name: str) -> None:
    *path, last = name.split(".")
    owner = getattr(sweep, path[0]) if path else sweep
    with pytest.raises(SweepError, match=rf"\[4001\] sweep\.{name} is not built") as problem:
        getattr(owner, last)
    assert isinstance(problem.value, AttributeError)
    assert not hasattr(owner, last)


def test_another_name_is_an_attribute_error() -> None:
    for owner in (sweep, sweep.samplers):
        with pytest.raises(AttributeError, match="no attribute 'nothing'"):
            _ = owner.nothing
