"""Exports hold the trials table: every row, every null, every digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from sweep.errors import SweepError
from sweep.export import export

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.study import Study


def test_parquet_is_the_table(study: Study, tmp_path: Path) -> None:
    assert pq.read_table(export(study.folder, str(tmp_path / "t.parquet"))).equals(study.trials())


def test_csv_reads_back_equal(study: Study, tmp_path: Path) -> None:
    table = study.trials()
    file = export(study.folder, str(tmp_path / "t.csv"))
    options = csv.ConvertOptions(
        column_types=table.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    assert csv.read_csv(file, convert_options=options).equals(table)
    assert table.column("metrics.profit_factor").type == pa.float64()  # a column whose digits count


@pytest.mark.parametrize(
    ("to", "code"),
    [("o.db", 1001), ("t.xls", 1001), ("no/t.csv", 3001)],
)
def test_other_targets_are_refused(study: Study, home: Path, to: str, code: int) -> None:
    with pytest.raises(SweepError) as caught:
        export(study.folder, to)
    assert caught.value.code == code
    assert list(home.iterdir()) == []
