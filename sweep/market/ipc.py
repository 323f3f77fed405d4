"""Arrow IPC files and streams, and Feather (version 2 is the same format), read into memory.

Not mapped: the file is its owner's, who may write it anew while the market is in use.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import SweepError
from sweep.market.source import data_error

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.contract import Reading


class IpcSource:
    """Source of Arrow IPC."""

    name = "ipc"
    suffixes: tuple[str, ...] = (".arrow", ".ipc", ".feather")

    def read(self, path: Path, reading: Reading) -> pa.Table:
        """All columns of the file.

        Raises:
            SweepError: [3004] not Arrow IPC, or cut short.
        """
        import pyarrow as pa

        if path.stat().st_size == 0:
            raise data_error(3004, "empty file", path, "write the file anew")
        try:
            with pa.OSFile(str(path)) as file:
                return _table(file, path)
        except (PermissionError, SweepError):
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
            what = " ".join(str(problem).split()).rstrip(".")
            raise data_error(3004, f"not a whole Arrow file: {what}", path, "write the file anew") from None


def _table(file: pa.OSFile, path: Path) -> pa.Table:
    import pyarrow as pa

    start = file.read(6)
    file.seek(0)
    if start[:4] == b"FEA1":
        raise data_error(3004, "Feather version 1", path, "write it as version 2")
    table = pa.ipc.open_file(file).read_all() if start == b"ARROW1" else pa.ipc.open_stream(file).read_all()
    # Names that are not UTF-8 are found when they are asked for.
    _ = table.column_names
    table.validate(full=True)
    return table
