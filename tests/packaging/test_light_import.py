"""`import sweep` is cheap: what is heavy waits until it is used."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"ray", "mlflow", "optuna", "pandas", "scipy", "sqlalchemy", "torch"}
SCRIPT = "import json, sys; import {module}; print(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"


def loaded_by(module: str) -> set[str]:
    """Top-level packages that a fresh interpreter holds after the import."""
    command = [sys.executable, "-c", SCRIPT.format(module=module)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return set(json.loads(output))


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("sweep")
    assert "sweep" in loaded
    assert loaded & HEAVY == set()


def test_starting_the_command_line_loads_nothing_heavy() -> None:
    assert loaded_by("sweep.cli") & HEAVY == set()
