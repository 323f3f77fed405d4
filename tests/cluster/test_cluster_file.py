"""`ray_cluster.yaml` passes Ray's own schema check, and keeps the promises that the schema does not know."""

from __future__ import annotations

import copy
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

FILE = Path(__file__).parents[2] / "ray_cluster.yaml"


def _config() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE.read_text())
    return loaded


def _check(config: dict[str, Any]) -> dict[str, Any]:
    from ray.autoscaler._private.util import prepare_config, validate_config

    prepared: dict[str, Any] = prepare_config(copy.deepcopy(config))
    validate_config(prepared)
    return prepared


def test_ray_accepts_the_file_and_starts_every_worker() -> None:
    prepared = _check(_config())
    workers = len(_config()["provider"]["worker_ips"])
    assert prepared["max_workers"] == workers
    assert prepared["available_node_types"]["local.cluster.node"]["min_workers"] == workers


def test_the_check_would_notice_a_key_of_old_tutorials() -> None:
    with pytest.raises(Exception, match="initial_workers"):
        _check(_config() | {"initial_workers": 2})


def test_ray_is_pinned_to_the_version_that_the_tests_run() -> None:
    setup = " ".join(_config()["setup_commands"])
    assert f"ray[default]=={metadata.version('ray')}" in setup


def test_the_dashboard_is_on_loopback_and_every_start_asks_for_the_token() -> None:
    config = _config()
    head = " ".join(config["head_start_ray_commands"])
    worker = " ".join(config["worker_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in head
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in head
    for commands in (head, worker):
        assert "RAY_AUTH_MODE=token" in commands
        assert "--disable-usage-stats" in commands
    assert "~/.ray/auth_token" in config["file_mounts"]
