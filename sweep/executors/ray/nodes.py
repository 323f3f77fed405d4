"""Ray's session and nodes: joining or starting a cluster, and where actors go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sweep.errors import SweepError, error
from sweep.executors.worker import cpus

if TYPE_CHECKING:
    from sweep.executors.base import MarketData

_STORE_BYTES: Final = 128 * 2**20
_STARTED_SLOWLY: Final = "timed out during startup"
"""What Ray says when its own processes took more than 30 s to come up, as on a busy machine: tried once more."""


@dataclass(frozen=True, slots=True)
class Session:
    """Connection to Ray; one that this process already had is left open."""

    owned: bool

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        import ray

        if self.owned:
            ray.shutdown()


def connect(address: str | None, *, workers: int | None, threads: int, data: MarketData | None) -> Session:
    """Join the cluster at `address`, or start one of this process.

    Raises:
        SweepError: [4001] for Ray Client addresses, [4005] for another version of Ray or Python there, [3005] if
            the cluster cannot be reached; stage infrastructure for the last two.
    """
    import ray

    if ray.is_initialized():
        return Session(owned=False)
    if address is not None and address.startswith("ray://"):
        raise error(
            4001, "Ray Client is not built", where="compute.address", remedy="use host:port of the head node"
        )
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        options |= {
            "address": "local",
            "num_cpus": max(cpus(), (workers or 0) * threads),
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES + 2 * (data.nbytes if data is not None else 0),
        }
    else:
        options["address"] = address
    for last in (False, True):
        try:
            ray.init(**options)
            break
        except Exception as problem:
            ray.shutdown()
            if last or _STARTED_SLOWLY not in str(problem):
                raise _refused(address, problem) from problem
    return Session(owned=True)


def _refused(address: str | None, problem: Exception) -> SweepError:
    text = " ".join(str(problem).split())
    where = f"compute.address {address}" if address else "compute.backend ray"
    if "ersion mismatch" in text:
        return error(4005, text, where=where, remedy="use the cluster's versions", stage="infrastructure")
    remedy = (
        "check that the cluster runs; if it uses tokens, set RAY_AUTH_MODE=token and put the token in "
        "~/.ray/auth_token"
        if address
        else "compute.backend=local runs without Ray"
    )
    what = f"Ray cannot be {'reached' if address else 'started'}: {text}"
    return error(3005 if address else 6000, what, where=where, remedy=remedy, stage="infrastructure")


def current_node() -> str:
    """Node id of this process."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def live_nodes() -> dict[str, int]:
    """CPUs of every living node that has any, in order of node id."""
    import ray

    listed: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = sorted(listed, key=lambda node: str(node["NodeID"]))
    found = {str(n["NodeID"]): int(n["Resources"].get("CPU", 0)) for n in nodes if n["Alive"]}
    return {node: count for node, count in found.items() if count > 0}


class Placement:
    """Which node gets how many actors: one per `threads` CPUs, or a fixed number spread over the nodes."""

    def __init__(self, *, threads: int, fixed: int | None, elastic: bool) -> None:
        self._threads = threads
        self._fixed = fixed
        self._elastic = elastic and fixed is None

    def initial(self) -> list[str]:
        """Nodes of the first actors, one entry each.

        Raises:
            SweepError: [6002] if the cluster has no CPU for a worker.
        """
        nodes = live_nodes()
        wanted = self._fixed if self._fixed is not None else sum(c // self._threads for c in nodes.values())
        if not nodes or not wanted:
            raise error(
                6002,
                f"the cluster has no node with {self._threads} CPUs",
                where="compute.threads",
                stage="infrastructure",
            )
        turns = self._round_robin(nodes)
        return [next(turns) for _ in range(wanted)]

    def missing(self, present: Sequence[str]) -> list[str]:
        """Nodes that have room for more actors than are `present` (nodes of the actors), one entry each."""
        if not self._elastic:
            return []
        nodes, used = live_nodes(), Counter(present)
        elsewhere = sum(count for node, count in used.items() if node not in nodes)
        wanted = [n for n, c in nodes.items() for _ in range(max(0, c // self._threads - used[n]))]
        return wanted[elsewhere:]

    def near(self, node: str) -> Any:
        """Scheduling strategy: that node if it lives, else any (a hard affinity would wait for ever)."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        return NodeAffinitySchedulingStrategy(node, soft=True)

    def is_alive(self, node: str) -> bool:
        """Whether the cluster counts the node as living (it notices a death after some 15 s)."""
        return node in live_nodes()

    def _round_robin(self, nodes: dict[str, int]) -> Iterator[str]:
        """Node by node, each as often as it has room; from the start again when all are full."""
        while True:
            for turn in range(max(1, max(nodes.values()) // self._threads)):
                for node, count in nodes.items():
                    if turn == 0 or turn < count // self._threads:
                        yield node
