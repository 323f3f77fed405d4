"""The documents tell what is there: targets, links, commands, configurations and Python that parses."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
per_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def targets() -> set[str]:
    """Targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def blocks(document: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every `sweep` subcommand that a document names, in code."""
    found: set[str] = set()
    for document in DOCUMENTS:
        text = document.read_text()
        found |= set(re.findall(r"`(?:\.venv/bin/)?sweep ([a-z]+)", text))
        for block in blocks(document, "(?:sh|console)"):
            found |= set(re.findall(r"^(?:\.venv/bin/)?sweep ([a-z]+)", block, re.MULTILINE))
    return sorted(found)


@per_document
def test_every_make_target_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= targets()


@per_document
def test_every_relative_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (document.parent / link).exists()] == []


@per_document
def test_python_examples_parse(document: Path) -> None:
    for block in blocks(document, "python"):
        ast.parse(block)


@per_document
def test_configurations_shown_are_accepted(document: Path) -> None:
    from sweep import config

    for block in blocks(document, "yaml"):
        mapping = YAML(typ="safe").load(block)
        if "market" in mapping and "strategy" in mapping:
            config.load(mapping)


@pytest.mark.parametrize("command", commands())
def test_every_command_named_exists(command: str) -> None:
    process = subprocess.run(
        [sys.executable, "-c", "from sweep.cli import main; main()", command, "--help"],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr


def test_the_two_commands_of_the_readme_are_targets() -> None:
    assert re.findall(r"^make [a-z]+$", blocks(ROOT / "README.md", "sh")[0], re.MULTILINE) == [
        "make demo",
        "make test",
    ]
    assert {"demo", "test"} <= targets()


@pytest.mark.parametrize(
    ("script", "document"), [("indicator_pages", "indicators"), ("metric_pages", "metrics")]
)
def test_a_page_that_is_made_is_that_of_the_declarations(tmp_path: Path, script: str, document: str) -> None:
    made = tmp_path / "page.md"
    subprocess.run([sys.executable, str(ROOT / "scripts" / f"{script}.py"), str(made)], check=True, cwd=ROOT)
    assert made.read_text() == (ROOT / "docs" / f"{document}.md").read_text(), "run make docs"


def test_the_pages_of_the_strategies_are_those_of_the_declarations(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "strategy_pages.py"), str(tmp_path)], check=True, cwd=ROOT
    )
    pages = {path.parent.name: path for path in ROOT.glob("strategies/*/README.md")}
    assert {path.stem for path in tmp_path.glob("*.md")} == pages.keys()
    for name, page in pages.items():
        assert (tmp_path / f"{name}.md").read_text() == page.read_text(), "run make docs"


def test_the_page_of_every_strategy_shows_a_trade() -> None:
    for page in ROOT.glob("strategies/*/README.md"):
        (picture,) = re.findall(r"!\[.+\]\((.+\.png)\)", page.read_text())
        content = (page.parent / picture).read_bytes()
        assert content.startswith(b"\x89PNG"), picture
        assert 5_000 < len(content) < 60_000, picture


def test_the_page_of_execution_shows_both_presets_and_every_key() -> None:
    from sweep import _core

    rows = re.findall(
        r"^\| `(\w+)` \| (\S+) \| (\S+) \|", (ROOT / "docs" / "execution.md").read_text(), re.MULTILINE
    )
    shown = {key: values for key, *values in rows}
    for at, preset in enumerate(("realistic", "reference")):
        execution = json.loads(_core.resolve(json.dumps({"execution": preset})))["execution"]
        assert {key: YAML(typ="safe").load(values[at]) for key, values in shown.items()} == execution
