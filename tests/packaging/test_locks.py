"""The lock files: pinned, hashed, complete, and silent about where packages come from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PEERS = ROOT / "benchmarks" / "peers" / "requirements.lock"
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)")


def normal(name: str) -> str:
    """The form in which names of packages are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """Version by name."""
    lines = lock.read_text().splitlines()
    return {normal(match[1]): match[2] for line in lines if (match := PIN.match(line))}


def project() -> dict[str, Any]:
    """The project's own metadata."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    """Normalised names of requirements."""
    return {normal(re.split(r"[\[<>=!~; ]", text)[0]) for text in requirements}


def test_the_lock_files_exist() -> None:
    assert [path.name for path in LOCKS] == [
        "requirements-dev.lock",
        "requirements-gp.lock",
        "requirements-wheel.lock",
        "requirements.lock",
    ]


@pytest.mark.parametrize("lock", [*LOCKS, PEERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lock_names_no_host_and_no_index(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    options = [line for line in text.splitlines() if line.startswith("-")]
    assert options == []


@pytest.mark.parametrize("lock", [*LOCKS, PEERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    blocks = re.split(r"\n(?=\S)", lock.read_text())
    requirements = [block for block in blocks if not block.startswith("#")]
    assert requirements
    for block in requirements:
        first, *hashes = block.splitlines()
        assert PIN.match(first), first
        assert hashes, first
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes), first


def test_development_uses_the_versions_that_users_get() -> None:
    runtime, development = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    assert runtime.items() <= development.items()


def test_the_extra_gp_adds_packages_and_changes_none() -> None:
    development, extra = pins(ROOT / "requirements-dev.lock"), pins(ROOT / "requirements-gp.lock")
    assert development.items() <= extra.items()
    assert names(project()["project"]["optional-dependencies"]["gp"]) <= extra.keys() - development.keys()


def test_every_declared_requirement_is_locked() -> None:
    metadata = project()
    runtime = names(metadata["project"]["dependencies"])
    groups = metadata["dependency-groups"]
    assert runtime <= pins(ROOT / "requirements.lock").keys()
    assert runtime | names(groups["dev"]) <= pins(ROOT / "requirements-dev.lock").keys()
    assert names(groups["wheel"]) == pins(ROOT / "requirements-wheel.lock").keys()


def test_the_versions_of_package_and_crates_agree() -> None:
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert project()["project"]["version"] == workspace


def test_the_peers_are_locked() -> None:
    asked = [line for line in PEERS.with_suffix(".in").read_text().splitlines() if not line.startswith("#")]
    assert names(asked) <= pins(PEERS).keys()
