"""The sections `compute` and `tracking`: where trials run, and who is told. Neither enters a result."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from sweep.config.base import (
    NULL,
    ByteCount,
    Count,
    Name,
    Natural,
    NotBuilt,
    Section,
    count,
    or_word,
    seconds,
)


class ComputeConfig(Section):
    """Workers and their limits."""

    backend: Literal["ray", "local"] = "ray"
    workers: Annotated[
        int | Literal["auto"],
        *or_word("auto", count(1), "a whole number of at least 1", {"type": "integer", "minimum": 1}),
    ] = "auto"
    address: Name | None = None
    """Of a running cluster; null starts one on this machine."""
    threads: Count = 1
    """Threads inside one call of the engine."""
    cache_bytes: ByteCount = 512 * 2**20
    """Bound of the series cache of one worker."""
    max_retries: Natural = 1
    trial_timeout: Annotated[
        float | Literal["auto"],
        *or_word("auto", seconds, "a duration in seconds", {"type": ["number", "string"]}),
    ] = "auto"
    memory_limit: Annotated[Any, NotBuilt(("none",))] = Field(default=None, exclude=True)


class RunsConfig(Section):
    """How many trials get an MLflow run of their own."""

    top: Natural = 50


def _form(value: Any) -> str:
    return "all" if isinstance(value, str) else "best"


class TrackingConfig(Section):
    """MLflow, or nothing."""

    mlflow: Annotated[Name | None, NULL] = None
    """Tracking URL; null turns MLflow off."""
    runs: Annotated[
        Annotated[RunsConfig, Tag("best")] | Annotated[Literal["all"], Tag("all")], Discriminator(_form)
    ] = RunsConfig()

    @property
    def top(self) -> int | Literal["all"]:
        """Number of best trials with a child run, or all."""
        return "all" if self.runs == "all" else self.runs.top
