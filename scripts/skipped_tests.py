"""Say how many tests were skipped: `skipped_tests.py CARGO_LOG JUNIT_XML`."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main(cargo_log: str, junit: str) -> None:
    """Print the counts of both runners on one line."""
    results = re.findall(
        r"^test result: .* (\d+) passed; \d+ failed; (\d+) ignored", Path(cargo_log).read_text(), re.M
    )
    ignored = sum(int(ignored) for _, ignored in results)
    suites = list(ET.parse(junit).getroot().iter("testsuite"))
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    print(f"skipped tests: {ignored + skipped} (crates {ignored}, package {skipped})")


if __name__ == "__main__":
    main(*sys.argv[1:])
