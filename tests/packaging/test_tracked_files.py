"""What is committed works on any machine: no paths of one, no addresses of package registries."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MACHINE_PATH = re.compile(r"(?<![\w.$}~])/(?:home/[a-z]|Users/[A-Za-z]|root/|work/|mnt/|var/folders/)")
REGISTRY = re.compile(
    r"\b(?:pypi\.(?:org|python\.org)|pythonhosted\.org|(?:index|static)\.crates\.io|deb\.debian\.org)\b|--(?:extra-)?index-url"
)
BINARY = {".parquet", ".png", ".db", ".ico"}


def tracked() -> list[Path]:
    """Files that are committed, or would be."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    paths = [ROOT / name for name in output.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix not in BINARY]


def offences(pattern: re.Pattern[str]) -> list[str]:
    """Places where the pattern occurs, this file apart."""
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if match := pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    return found


def test_the_patterns_find_what_they_are_meant_for() -> None:
    for text in ("'/home/ann/x'", "=/root/.cargo", " /Users/Ann/y"):
        assert MACHINE_PATH.search(text), text
    for text in ("~/work/x", "docs/work/x", "$HOME/work/"):
        assert not MACHINE_PATH.search(text), text
    assert REGISTRY.search("--index-url x")


def test_no_file_holds_a_path_of_one_machine() -> None:
    assert offences(MACHINE_PATH) == []


def test_no_file_names_a_registry_host() -> None:
    assert offences(REGISTRY) == []


def test_links_of_the_package_lead_into_the_workspace() -> None:
    crates = ROOT / "sweep" / "_crates"
    targets = {path.name: path.readlink().as_posix() for path in crates.iterdir()}
    names = ("Cargo.lock", "Cargo.toml", "core_rs", "strategies")
    assert targets == {name: f"../../{name}" for name in names}
