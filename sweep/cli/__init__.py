"""The command line. Commands parse, call and print; nothing is decided here.

Reading order: `app` (entry point, errors, exit codes), `options`, `output`, then one module per group of commands.
"""

from __future__ import annotations

from sweep.cli.app import app, main

__all__ = ["app", "main"]
