"""The background process that shows a study in MLflow while it runs.

The driver starts it early (`Projection.warm`), so that MLflow is there when the workers are. Told of the study
(`Projection.follow`), the process follows its ledger read-only, and the driver waits a bounded time for it at the end
(`Projection.finish`). Nothing that happens here can stop, slow or fail the study: MLflow's import, its latency and its
errors stay in this process, and what it could not show `sync` shows later.

The driver speaks to it through its standard input: first the study's folder, then the line `final` when the study has
ended, then the end of the stream when its artifacts are written; that end without `final` when the driver has died. The
process answers through `tracking.json`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import get_native_id
from typing import IO, TYPE_CHECKING, Final, Literal, Self

from sweep.errors import SweepError, error
from sweep.ledger import Ledger
from sweep.ledger.transaction import file_error
from sweep.trackers.breaker import Breaker
from sweep.trackers.parquet import ParquetTracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from sweep.trackers.projection import MlflowTracker

Top = int | Literal["all"]

STATE: Final = "tracking.json"
LOG: Final = "tracking.log"
_LOCK: Final = "tracking.lock"
_URI: Final = "SWEEP_TRACKING_URI"
_POLL: Final = 2.0
_SHARE: Final = 10.0
"""A projection that took t seconds is followed by a pause of ten t, within `_POLL` and `_LONGEST`."""
_LONGEST: Final = 30.0
_FINAL: Final = b"final\n"
_FINAL_TRIES: Final = 4
_NICE: Final = 10
"""A tenth of what others get of a processor that they want too; with less, a busy machine would never show a study."""
MANY_RUNS: Final = 1000
"""More child runs than this make MLflow's sorted search slow."""


@dataclass(frozen=True, slots=True)
class State:
    """What the process has reached."""

    shown: int = 0
    """Trials that MLflow knows of."""
    done: bool = False
    """The final projection is complete."""
    problem: str | None = None
    """The last error if nothing succeeded after it, or what the user should know."""
    experiment: str | None = None
    run: str | None = None
    """Id of the parent run."""

    def save(self, folder: Path) -> None:
        """Write `tracking.json`, whole or not at all."""
        partial = folder / f".{STATE}.partial"
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        partial.replace(folder / STATE)

    @classmethod
    def load(cls, folder: Path) -> State:
        """The state last written, the empty one if there is none."""
        try:
            return cls(**json.loads((folder / STATE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()


class Projection:
    """The driver's end. No method raises, and only `finish` waits."""

    def __init__(
        self, process: subprocess.Popen[bytes] | None, top: Top, *, problem: str | None = None
    ) -> None:
        self._process = process
        self._top = top
        self._problem = problem
        self._folder: Path | None = None
        self._ended = False
        self.advice: str | None = None
        """What the user should know of the chosen settings, in one line."""

    @classmethod
    def warm(cls, *, uri: str, top: Top = 50) -> Self:
        """Start the process, which waits for a study; an unreachable store shows later, in `warning`."""
        try:
            process = subprocess.Popen(  # noqa: S603  our own module, arguments are not a shell's
                _command(top),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(uri),
                start_new_session=True,  # Ctrl-C belongs to the driver
            )
        except OSError as problem:
            return cls(None, top, problem=f"[3005] MLflow: the projection cannot start: {problem}")
        return cls(process, top)

    def follow(self, folder: Path) -> Self:
        """Show the study in `folder` from now on."""
        self._folder = folder
        try:
            (folder / STATE).unlink(missing_ok=True)
            (folder / LOG).touch()
        except OSError as problem:
            self._problem = f"[3005] MLflow: the projection cannot start: {problem}"
            self.abandon()
            return self
        self.advice = _advice(folder, self._top)
        self._tell(os.fsencode(folder.absolute()) + b"\n", last=False)
        return self

    @property
    def pid(self) -> int | None:
        """Process id, None if it could not be started."""
        return self._process.pid if self._process else None

    @property
    def warning(self) -> str | None:
        """What is wrong at the moment, in one line; None if nothing is."""
        return self._problem or self._state.problem

    def ended(self) -> None:
        """Tell the process that the study has ended: it shows the best trials as their artifacts get written."""
        self._tell(_FINAL, last=False)
        self._ended = True

    def finish(self, *, timeout: float = 60.0, patience: float = 15.0) -> State:
        """Tell the process that the study has ended and all artifacts are written, and wait for it.

        At most `timeout` seconds, and while it reports one and the same problem at most `patience` seconds. A process
        that needs longer goes on by itself.
        """
        self._tell(b"" if self._ended else _FINAL)
        if self._process is not None and not _ends(self._process, timeout, patience, lambda: self._state):
            return replace(self._state, done=False)
        state = self._state
        return replace(state, problem=self._problem or state.problem or self.advice)

    def abandon(self) -> None:
        """Let the process go by itself; before the study has ended it shows what is committed, and ends."""
        self._tell(b"")

    @property
    def _state(self) -> State:
        return State() if self._folder is None else State.load(self._folder)

    def _tell(self, line: bytes, *, last: bool = True) -> None:
        pipe = self._process.stdin if self._process else None
        if pipe is None or pipe.closed:
            return
        with suppress(OSError):  # the process is gone; its state says why
            pipe.write(line)
            pipe.flush()
            if last:
                pipe.close()


def _ends(
    process: subprocess.Popen[bytes], timeout: float, patience: float, state: Callable[[], State]
) -> bool:
    """Whether the process ends within `timeout` seconds, given up when its state is a problem for `patience` seconds."""
    now = time.monotonic()
    deadline, seen, since = now + timeout, state(), now
    while process.poll() is None:
        now, current = time.monotonic(), state()
        if current != seen or current.problem is None:
            seen, since = current, now
        if now >= deadline or now - since >= patience:
            return False
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    return True


def lag(state: State, total: int, study: str) -> str | None:
    """The line for the end of a study whose projection is behind, None if it is complete."""
    if state.done:
        return None
    behind = f"{total - state.shown} trials" if total > state.shown else "runs of the best trials"
    return f"MLflow not up to date: {behind}; sweep sync {study}"


def _advice(folder: Path, top: Top) -> str | None:
    """The warning for a run of its own for each of very many trials."""
    if top != "all":
        return None
    try:
        with Ledger.open(folder) as ledger:
            trials = ledger.get("trials")
    except SweepError:
        return None
    if trials is not None and trials <= MANY_RUNS:
        return None
    return (
        f"tracking.runs: all gives each of {trials or 'all'} trials an MLflow run; above {MANY_RUNS} its sorted "
        "search takes seconds. trials.parquet on the parent run has them all: runs: {top: 50}"
    )


def sync(folder: Path, *, uri: str | None, top: Top = 50) -> State:
    """Bring `trials.parquet` and MLflow up to date in this process; `uri` None leaves MLflow out.

    Raises:
        SweepError: [3001] no study, [3005] MLflow unreachable, [6003] another projection is at work.
    """
    with Ledger.open(folder) as ledger, _alone(folder, patience=30.0):
        ParquetTracker(folder).project(ledger, final=True)
        state = State(shown=ledger.count(), done=True)
        if uri is not None:
            tracker = _tracker(uri, top)
            tracker.project(ledger, final=True)
            state = _reached(tracker, state)
        state.save(folder)
        return state


def main(arguments: list[str] | None = None) -> int:
    """Entry point of the process: 0 if MLflow is up to date at the end, else 1."""
    parser = argparse.ArgumentParser(prog="python -m sweep.trackers.process")
    parser.add_argument("--top", type=lambda text: text if text == "all" else int(text), default=50)
    options = parser.parse_args(arguments)
    quiet = ThreadPoolExecutor(1, initializer=_give_way)
    quiet.submit(_warm_up, os.environ[_URI]).result()
    commands = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115  `select` sees no buffers
    folder = Path(os.fsdecode(commands.readline().removesuffix(b"\n")))
    if not folder.is_absolute():  # the driver ended before there was a study
        return 0
    _log(folder)
    follower = _Follower(folder, os.environ[_URI], options.top, commands)
    try:
        with _alone(folder, patience=600.0):
            return follower.follow(quiet)
    except SweepError as problem:
        follower.note(problem)
        return 1


class _Follower:
    """Projects whenever the ledger has grown, and once more at the end."""

    def __init__(self, folder: Path, uri: str, top: Top, commands: IO[bytes]) -> None:
        self._folder = folder
        self._uri = uri
        self._top = top
        self._commands = commands
        self._written = False
        """Whether all artifacts are there, or the driver has died."""
        self._tracker: MlflowTracker | None = None
        self._breaker = Breaker()
        self._state = State()

    def follow(self, quiet: Executor) -> int:
        """Work in the thread of `quiet` while the study runs, and in this one when nobody else has work any more."""
        line = _heard(self._commands, _POLL)
        while line is None:
            opening, started = self._tracker is None, time.monotonic()
            if self._breaker.closed:
                work = quiet.submit(self._try, final=False)
                while line is None and not work.done():
                    line = _heard(self._commands, 0.1)
            if line is None:
                spent = 0.0 if opening else time.monotonic() - started
                pause = min(max(_POLL, _SHARE * spent), _LONGEST)
                line = _heard(self._commands, pause)
        _weigh(0)
        quiet.shutdown()
        return self._end(final=line == _FINAL)

    def _end(self, *, final: bool) -> int:
        # A store that refused when last asked gets one more chance, a reachable one a few.
        tries = 1 if self._breaker.failures else _FINAL_TRIES
        for attempt in range(tries):
            if self._try(final=final):
                if not final and self._tracker is not None:
                    self._tracker.interrupted()
                return 0
            if attempt + 1 < tries:
                time.sleep(2.0**attempt)
        return 1

    def _try(self, *, final: bool) -> bool:
        try:
            with Ledger.open(self._folder) as ledger:
                count = ledger.count()
                if count > self._state.shown or final or self._tracker is None:
                    self._project(ledger, final=final)
        except (SweepError, OSError) as problem:
            self._breaker.failed()
            self.note(problem)
            return False
        self._breaker.succeeded()
        self._state = replace(self._state, shown=max(count, self._state.shown), problem=None, done=final)
        self._state.save(self._folder)
        return True

    def _project(self, ledger: Ledger, *, final: bool) -> None:
        tracker = self._tracker or _tracker(self._uri, self._top, self._await)
        tracker.project(ledger, final=final)
        self._tracker = tracker
        self._state = _reached(tracker, self._state)

    def _await(self, folder: Path) -> None:
        """Returns when the artifacts of a trial are there, or will not come."""
        while not (self._written or folder.is_dir()):
            self._written = _heard(self._commands, 0.05) == b""

    def note(self, problem: Exception) -> None:
        """Record an error in the state and the log."""
        line = str(problem) if isinstance(problem, SweepError) else f"[3005] MLflow: {problem}"
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
        sys.stderr.flush()
        self._state = replace(self._state, problem=line)
        self._state.save(self._folder)


def _give_way() -> None:
    """Let this thread take what processor time the workers leave.

    Where Linux groups processes by session, niceness counts within a group alone, and this process has its own.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)
    _weigh(_NICE)


def _weigh(nice: int) -> None:
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def _warm_up(uri: str) -> None:
    """What takes long: MLflow's import, and the tables of a new store. An error comes again where it can be told."""
    with suppress(Exception):
        from sweep.trackers.mlflow import MlflowStore

        MlflowStore(uri)


def _log(folder: Path) -> None:
    """From here on, all that is said goes to the study's log."""
    with (folder / LOG).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _tracker(uri: str, top: Top, await_artifacts: Callable[[Path], None] | None = None) -> MlflowTracker:
    from sweep.trackers.projection import MlflowTracker

    return MlflowTracker(uri, top=top, await_artifacts=await_artifacts)


def _reached(tracker: MlflowTracker, state: State) -> State:
    parent = tracker.parent
    return state if parent is None else replace(state, experiment=parent.experiment, run=parent.id)


def _heard(commands: IO[bytes], pause: float) -> bytes | None:
    """A line from the driver, b"" at the end of the stream, None if neither came within `pause` seconds."""
    ready, _, _ = select.select([commands], [], [], pause)
    return commands.readline() if ready else None


@contextmanager
def _alone(folder: Path, *, patience: float) -> Iterator[None]:
    """One projection of a study at a time: two writers would create runs twice."""
    deadline = time.monotonic() + patience
    try:
        lock = (folder / _LOCK).open("w")
    except OSError as problem:
        raise file_error(problem, folder / _LOCK, "the lock of the projections") from problem
    with lock as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise error(
                        6003,
                        "another projection of this study is at work",
                        where=str(folder),
                        remedy="wait for it to end",
                        stage="infrastructure",
                    ) from None
                time.sleep(0.2)
        yield


def _command(top: Top) -> list[str]:
    return [sys.executable, "-m", "sweep.trackers.process", "--top", str(top)]


def _environment(uri: str) -> dict[str, str]:
    """The driver's environment, with the store's URL (not on the command line: it may hold a password)."""
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, _URI: uri, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # taking MLflow down takes a second, and nothing is left to do
