"""The MLflow UI on loopback, opened at a study."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from sweep.errors import SweepError, error
from sweep.ledger import Ledger
from sweep.trackers.view import study_key

if TYPE_CHECKING:
    from types import TracebackType

HOST: Final = "127.0.0.1"
PORT: Final = 5000
_STARTUP: Final = 90.0
_GRACE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a study is in MLflow."""

    experiment: str
    run: str | None
    """Parent run, None if the store does not know it."""


class Server:
    """`mlflow server` on loopback over one store; a context manager that leaves no process behind.

    A tracking server that runs elsewhere is shown as it is: no process is started.
    """

    def __init__(self, uri: str, *, port: int | None = None) -> None:
        """Nothing starts before `start`.

        Args:
            uri: the tracking store: a SQLAlchemy URL, or the URL of a server.
            port: the port [5000, or a free one if that is taken].

        Raises:
            SweepError: [1003] a number that no port has.
        """
        self._remote = uri.startswith(("http://", "https://"))
        self._uri = uri
        if port is not None and not 1 <= port <= 65535:
            raise error(1003, f"port {port}", where="--port", remedy="name one of 1 … 65535")
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.url = uri.rstrip("/") if self._remote else ""

    def start(self, *, timeout: float = _STARTUP) -> Self:
        """Start the server and wait until it answers.

        Raises:
            SweepError: [6003] the port is taken, [3001] no store yet, [3005] the server does not come up.
        """
        if self._remote:
            return self
        database = _database(self._uri)
        if database is not None and not database.is_file():
            raise error(
                3001,
                "no MLflow store yet",
                where=str(database),
                remedy="run a study first, or `sweep sync STUDY`",
                stage="data",
            )
        port = _port(self._port)
        self.url = f"http://{HOST}:{port}"
        command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", self._uri]
        if database is not None:
            command += ["--artifacts-destination", (database.parent / "mlartifacts").as_uri()]
        command += ["--host", HOST, "--port", str(port), "--workers", "1"]
        self._process = subprocess.Popen(  # noqa: S603  MLflow's own command line, not a shell's
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
        self._wait(timeout)
        return self

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            if _answers(f"{self.url}/health"):
                return
            time.sleep(0.25)
        self.stop()
        raise error(
            3005,
            "the MLflow server did not come up",
            where=self.url,
            remedy="try another --port; `mlflow server --backend-store-uri ...` shows its own messages",
            stage="infrastructure",
        )

    def wait(self) -> None:
        """Return when the server ends by itself, on Ctrl-C or on SIGTERM."""
        if self._process is None:
            return
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            self._process.wait()
        except KeyboardInterrupt:
            return
        finally:
            signal.signal(signal.SIGTERM, before)

    def stop(self) -> None:
        """End the server and all that it started; harmless when there is none."""
        process, self._process = self._process, None
        if process is None:
            return
        for sign, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, _GRACE)):
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                break
            try:
                process.wait(grace)
            except subprocess.TimeoutExpired:
                continue
        _end_group(process.pid)
        process.poll()

    def find(self, folder: Path) -> Place | None:
        """Where the study in `folder` is, None if the store does not know it.

        Raises:
            SweepError: [3001] if there is no study.
        """
        with Ledger.open(folder) as ledger:
            name, key = (
                str(ledger.get("name") or folder.name),
                study_key(folder.name, ledger.get("created_at")),
            )
        found = _get(f"{self.url}/api/2.0/mlflow/experiments/get-by-name", {"experiment_name": name})
        if found is None:
            return None
        experiment = str(found["experiment"]["experiment_id"])
        query = {
            "experiment_ids": [experiment],
            "filter": f"tags.`study_key` = '{key}' and tags.`role` = 'study'",
            "max_results": 1,
        }
        runs = (_post(f"{self.url}/api/2.0/mlflow/runs/search", query) or {}).get("runs") or []
        return Place(experiment, runs[0]["info"]["run_id"] if runs else None)

    def address(self, place: Place | None) -> str:
        """URL of the study's run, of its experiment, or of the front page."""
        if place is None:
            return self.url
        page = f"{self.url}/#/experiments/{place.experiment}"
        return f"{page}/runs/{place.run}" if place.run else page

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _end_group(group: int) -> None:
    """Kill what is left of a process group whose leader has ended."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _database(uri: str) -> Path | None:
    """File of a SQLite URL; kept apart from `trackers.mlflow`, whose import takes seconds."""
    parts = urllib.parse.urlsplit(uri)
    return (
        Path(urllib.parse.unquote(parts.path[1:])).absolute() if parts.scheme.startswith("sqlite") else None
    )


def _port(wanted: int | None) -> int:
    if wanted is not None:
        if not _is_free(wanted):
            raise error(
                6003,
                f"port {wanted} is taken",
                where=HOST,
                remedy="name another one with --port",
                stage="infrastructure",
            )
        return wanted
    if _is_free(PORT):
        return PORT
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2.0) as answer:  # noqa: S310  http on loopback
            return bool(answer.status == 200)
    except (OSError, SweepError):
        return False


def _get(url: str, query: dict[str, str]) -> dict[str, Any] | None:
    return _json(urllib.request.Request(f"{url}?{urllib.parse.urlencode(query)}"))  # noqa: S310  http(s) by construction


def _post(url: str, body: dict[str, Any]) -> dict[str, Any] | None:
    headers = {"Content-Type": "application/json"}
    return _json(urllib.request.Request(url, json.dumps(body).encode(), headers))  # noqa: S310  http(s) by construction


def _json(request: urllib.request.Request) -> dict[str, Any] | None:
    """The answer, None if the server does not know the thing.

    Raises:
        SweepError: [3005] if the server does not answer.
    """
    try:
        with urllib.request.urlopen(request, timeout=10.0) as answer:  # noqa: S310  http(s) by construction
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as problem:
        if problem.code == 404:
            return None
        raise _no_answer(request.full_url, problem) from problem
    except (OSError, ValueError) as problem:
        raise _no_answer(request.full_url, problem) from problem


def _no_answer(url: str, problem: Exception) -> SweepError:
    return error(3005, f"MLflow does not answer: {problem}", where=url, stage="infrastructure")
