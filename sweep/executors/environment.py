"""Environment of Ray, to be set before its first import."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_LOOPBACK: Final = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Off, Ray takes 127.0.0.1 as the node's address and listens on loopback only, on Linux too."""

_INLINE: Final = "RAY_max_direct_call_object_size"
"""Bytes up to which an answer comes with its reply, not by way of the object store; Ray's 100 kB are 50 trials."""


def prepare(address: str | None) -> None:
    """Set what Ray reads when it is imported; what the user has set stays.

    Ray turns token authentication on by itself and writes a token file when it starts a cluster, so its mode is
    always explicit: off for a cluster that we start (it listens on loopback), and for one that we join on only if
    there is a token to show.
    """
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address is None:
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        os.environ.setdefault(_LOOPBACK, "0")
        os.environ.setdefault(_INLINE, str(4 << 20))
    else:
        os.environ.setdefault("RAY_AUTH_MODE", "token" if _has_token() else "disabled")


def _has_token() -> bool:
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(path).is_file() if path else (Path.home() / ".ray" / "auth_token").is_file()
