"""Disks that fail: torn writes, no room, no right to write. The error is clear, and the ledger opens and goes on."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sweep.cli.app import main
from sweep.errors import SweepError, exit_code
from sweep.ledger import Ledger, transaction
from sweep.study import Study
from sweep.trackers import parquet, process
from sweep.types import StudyStatus
from tests.runtime.support import die_at, digest, drive
from tests.runtime.test_study import config

PAGE = 8192
FRAME = PAGE + 24
HEADER = 32


# ------------------------------------------------------------------------------------------------------ torn writes
@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the study that nobody disturbed."""
    folder = tmp_path_factory.mktemp("plain") / "study"
    drive(folder)
    return digest(folder)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study whose driver died: some batches are in the write-ahead log alone."""
    folder = tmp_path_factory.mktemp("killed") / "study"
    context = multiprocessing.get_context("fork")
    victim = context.Process(target=die_at, args=(folder, "random", "INSERT OR REPLACE INTO batches", 5))
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL
    assert (folder / "study.db-wal").stat().st_size > 20 * FRAME
    return folder


def truncated(data: bytes, at: random.Random) -> bytes:
    return data[: at.randrange(len(data))]


def half_a_page(data: bytes, at: random.Random) -> bytes:
    """The last page half written, as when the power goes."""
    frame = at.randrange(5, (len(data) - HEADER) // FRAME)
    return data[: HEADER + frame * FRAME + PAGE // 2]


def garbled(data: bytes, at: random.Random) -> bytes:
    start = at.randrange(HEADER, len(data) - 64)
    return data[:start] + at.randbytes(64) + data[start + 64 :]


def garbage_after_it(data: bytes, at: random.Random) -> bytes:
    return data + at.randbytes(FRAME + 100)


def gone(data: bytes, at: random.Random) -> bytes:
    return b""


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("damage", [truncated, half_a_page, garbled, garbage_after_it, gone])
def test_a_torn_log_loses_at_most_its_end(
    damage: Callable[[bytes, random.Random], bytes], seed: int, killed: Path, plain: str, tmp_path: Path
) -> None:
    """What is left is a prefix of the study, and a resume ends where it always would have."""
    folder = tmp_path / "study"
    shutil.copytree(killed, folder)
    log = folder / "study.db-wal"
    with Ledger.open(killed) as whole:
        most = whole.count()
    log.write_bytes(damage(log.read_bytes(), random.Random(seed)))
    with Ledger.open(folder) as ledger:
        assert ledger.count() <= most
        ledger.digest(verify=True)
    assert drive(folder).status is StudyStatus.FINISHED
    assert digest(folder) == plain


def damaged(folder: Path, change: str) -> None:
    """Spoil the database itself, all of whose pages are in one file."""
    file = folder / "study.db"
    data = file.read_bytes()
    if change == "half":
        file.write_bytes(data[: len(data) // PAGE // 2 * PAGE + PAGE // 2])
    else:
        file.write_bytes(data[:PAGE] + random.Random(1).randbytes(len(data) - PAGE))


@pytest.mark.parametrize("change", ["half", "garbled"])
@pytest.mark.parametrize("command", ["resume", "status"])
def test_a_damaged_database_is_named(
    change: str, command: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study.run(config())
    damaged(study.folder, change)
    with pytest.raises(SystemExit) as ended:
        main([command, "plain"])
    assert ended.value.code == 5
    error = capsys.readouterr().err
    assert "[3004]" in error
    assert "study.db" in error
    assert "Traceback" not in error


# ---------------------------------------------------------------------------------------------------------- no room
def mount(target: Path, *options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(target)], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 500 kB that is SWEEP_HOME."""
    monkeypatch.setattr(transaction, "PAUSES", (0.0, 0.0, 0.0))
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mount(folder, "-o", "size=500k")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs the right to mount a file system")
    monkeypatch.setenv("SWEEP_HOME", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


LONG = {"search": {"trials": 240}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of the study on a disk with room."""
    return Study.run(config(**LONG), home=tmp_path_factory.mktemp("home")).digest


def check_stopped(folder: Path, problem: SweepError, codes: tuple[int, ...]) -> None:
    assert problem.code in codes, problem
    assert exit_code(problem) == 5
    assert str(folder) in problem.message
    with Ledger.open(folder) as ledger:
        assert 0 < ledger.count() < LONG["search"]["trials"]
        ledger.digest(verify=True)


def test_a_full_disk_stops_the_study_which_goes_on_when_there_is_room(disk: Path, whole: str) -> None:
    with pytest.raises(SweepError) as stopped:
        Study.run(config(**LONG))
    folder = disk / "studies" / "plain"
    check_stopped(folder, stopped.value, (3007,))
    with pytest.raises(SweepError) as stopped:
        Study.resume("plain")
    check_stopped(folder, stopped.value, (3007,))
    mount(disk, "-o", "remount,size=64m")
    study = Study.resume("plain")
    assert study.digest == whole
    with study.ledger as ledger:
        assert ledger.digest(verify=True) == whole


def limited(home: Path, answer: Any) -> None:
    """A driver that may write files of 300 kB at most."""
    transaction.PAUSES = (0.0, 0.0, 0.0)  # type: ignore[misc]
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        Study.run(config(**LONG), home=home)
    except SweepError as problem:
        answer.put((problem.code, exit_code(problem), problem.message))


def test_a_limit_on_files_stops_the_study_as_a_full_disk_does(tmp_path: Path, whole: str) -> None:
    context = multiprocessing.get_context("fork")
    answer = context.Queue()
    driver = context.Process(target=limited, args=(tmp_path, answer))
    driver.start()
    code, status, message = answer.get(timeout=120)
    driver.join()
    folder = tmp_path / "studies" / "plain"
    assert (code, status) in ((3000, 5), (3007, 5)), message
    assert str(folder) in message
    with Ledger.open(folder) as ledger:
        assert 0 < ledger.count() < 240
        ledger.digest(verify=True)
    assert Study.resume(folder).digest == whole


# ------------------------------------------------------------------------------------------------- no right to write
def test_a_read_only_disk_refuses_the_driver_and_shows_the_study(disk: Path, whole: str) -> None:
    mount(disk, "-o", "remount,size=64m")
    Study.run(config(search={"trials": 21}))
    before = Study.open("plain").digest
    mount(disk, "-o", "remount,ro")
    for start in (
        lambda: Study.resume("plain"),
        lambda: Study.extend("plain", 10),
        lambda: Study.run(config(study="other")),
    ):
        with pytest.raises(SweepError) as refused:
            start()
        assert (refused.value.code, exit_code(refused.value)) == (3002, 5), refused.value
        assert str(disk) in refused.value.message
    assert Study.open("plain").status().done == 21
    for write in (
        lambda: process.sync(Study.open("plain").folder, uri=None),
        lambda: parquet.write(Study.open("plain").trials(), disk / "trials.parquet"),
    ):
        with pytest.raises(SweepError) as refused:
            write()
        assert (refused.value.code in (3000, 3002), exit_code(refused.value)) == (True, 5), refused.value
    mount(disk, "-o", "remount,rw")
    assert Study.open("plain").digest == before
    assert Study.extend("plain", 219).digest == whole


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_refuses_the_driver(home: Path) -> None:
    Study.run(config(search={"trials": 21}))
    folder = home / "studies" / "plain"
    folder.chmod(0o555)
    try:
        with pytest.raises(SweepError, match="3002|3000"):
            Study.extend("plain", 10)
        assert Study.open("plain").status().done == 21
    finally:
        folder.chmod(0o755)
