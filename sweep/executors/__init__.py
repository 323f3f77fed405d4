"""Where trials run. Every executor gives the same results; they differ in where and how many at once.

Reading order: `base` (the contract), `worker` (what runs beside the engine), `local`, `ray`, `dispatch` (chunks,
retries, bisection: the same for all of them).
"""

from __future__ import annotations

from sweep.executors.base import Chunk, ChunkResult, EngineSpec, Executor

__all__ = ["Chunk", "ChunkResult", "EngineSpec", "Executor"]
