"""Workers as Ray actors. Only this folder imports Ray, and `environment.prepare` must have run before it does.

Reading order: `executor` (calls, losses, deadlines), `worker` (an actor and what the driver knows of it), `nodes`
(the session, placement).
"""

from __future__ import annotations

from sweep.executors.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
