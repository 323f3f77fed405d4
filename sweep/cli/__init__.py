"""The command line. Commands parse, call and print; nothing is decided here.

Reading order: `app` (entry point, errors, exit codes), `options`, `output`, then one module per group of commands.
"""

from __future__ import annotations

import sys

try:
    from sweep.cli.app import app, main
except KeyboardInterrupt:  # the imports take long enough for Ctrl-C to meet them
    if "--debug" in sys.argv:
        raise
    sys.stderr.write("interrupted\n")
    raise SystemExit(130) from None

__all__ = ["app", "main"]
