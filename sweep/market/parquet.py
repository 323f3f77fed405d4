"""Parquet files, page checksums verified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sweep.market.source import data_error

if TYPE_CHECKING:
    import pyarrow as pa

    from sweep.market.contract import Reading


class ParquetSource:
    """Source of Parquet files."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")

    def read(self, path: Path, reading: Reading) -> pa.Table:
        """All columns of the file.

        Raises:
            SweepError: [3004] not Parquet, cut short, or a page whose checksum is wrong.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                return file.read()
        except PermissionError:
            raise
        except (pa.ArrowException, OSError, UnicodeDecodeError) as problem:
            what = " ".join(str(problem).split()).rstrip(".")
            raise data_error(3004, f"not a whole Parquet file: {what}", path, "write the file anew") from None
