"""The schema registry: no unversioned change in Rust, in Python or in the committed file; tables that differ are refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep import _core
from sweep.arrow import conform
from sweep.errors import SweepError
from sweep.reference.digest import table_digest
from sweep.reference.schema import REGISTRY, TYPES, VERSION

COMMITTED = Path(__file__).parents[2] / "core_rs" / "engine" / "schemas.json"
Fields = list[dict[str, Any]]
Definitions = dict[str, tuple[str, Fields]]
"""Version and fields of each schema."""

NATIVE: Definitions = {n: (s["version"], s["fields"]) for n, s in json.loads(_core.schemas()).items()}
REFERENCE: Definitions = {
    name: (VERSION, [{"name": f.name, "type": TYPES[f.type], "nullable": f.nullable} for f in schema.fields])
    for name, schema in REGISTRY.items()
}


def fingerprint(fields: Fields) -> str:
    """SHA-256 of the documented text."""
    rows = [
        f'{{"name": "{f["name"]}", "nullable": {str(f["nullable"]).lower()}, "type": "{f["type"]}"}}'
        for f in fields
    ]
    return hashlib.sha256(f"[{', '.join(rows)}]".encode("ascii")).hexdigest()


def committed() -> dict[str, dict[str, str]]:
    return dict(json.loads(COMMITTED.read_text()))


def drift(definitions: Definitions, known: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What is not as committed: the reason why a build fails."""
    found = [f"{name}: not committed" for name in definitions.keys() - known.keys()]
    found += [f"{name}: no longer defined" for name in known.keys() - definitions.keys()]
    for name in definitions.keys() & known.keys():
        version, fields = definitions[name]
        same = fingerprint(fields) == known[name]["fingerprint"]
        if not same and version == known[name]["version"]:
            found.append(f"{name}: changed without a new version")
        elif not same or version != known[name]["version"]:
            found.append(f"{name}: version {version} is not committed")
    return found


@pytest.mark.parametrize("definitions", [NATIVE, REFERENCE], ids=["rust", "python"])
def test_the_definitions_are_the_committed_ones(definitions: Definitions) -> None:
    assert drift(definitions, committed()) == []


def test_both_define_the_same_fields_and_the_native_fingerprints_are_those_of_its_fields() -> None:
    assert NATIVE == REFERENCE
    for name, schema in json.loads(_core.schemas()).items():
        assert schema["fingerprint"] == fingerprint(schema["fields"]) == REGISTRY[name].fingerprint


MUTATIONS: dict[str, Callable[[Fields], Fields]] = {
    "renamed": lambda f: [{**f[0], "name": "other"}, *f[1:]],
    "another type": lambda f: [{**f[0], "type": "int64"}, *f[1:]],
    "nullable": lambda f: [{**f[0], "nullable": not f[0]["nullable"]}, *f[1:]],
    "order": lambda f: [f[1], f[0], *f[2:]],
    "one more at the end": lambda f: [*f, {"name": "more", "type": "double", "nullable": True}],
    "one less": lambda f: f[:-1],
}


@pytest.mark.parametrize("name", NATIVE)
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_change_without_a_new_version_is_found(name: str, mutation: str) -> None:
    version, fields = NATIVE[name]
    changed = {**NATIVE, name: (version, MUTATIONS[mutation](fields))}
    assert drift(changed, committed()) == [f"{name}: changed without a new version"]
    newer = {**NATIVE, name: ("2.0.0", MUTATIONS[mutation](fields))}
    assert drift(newer, committed()) == [f"{name}: version 2.0.0 is not committed"]
    recorded = {**committed(), name: {"version": "2.0.0", "fingerprint": fingerprint(newer[name][1])}}
    assert drift(newer, recorded) == []


def test_a_schema_that_comes_or_goes_is_found() -> None:
    without = {name: schema for name, schema in NATIVE.items() if name != "daily"}
    assert drift(without, committed()) == ["daily: no longer defined"]
    assert drift({**NATIVE, "new": NATIVE["daily"]}, committed()) == ["new: not committed"]


DAILY = {"date": pa.array([0], pa.timestamp("us", tz="UTC")), "equity": pa.array([1.5])}
METRICS = {"name": pa.array(["a"]), "value": pa.array([None], pa.float64()), "unit": pa.array(["x"])}


def table(columns: Mapping[str, pa.Array], **changes: pa.Array | None) -> pa.Table:
    """A table with some columns replaced, added or (None) left out."""
    return pa.table({k: v for k, v in {**columns, **changes}.items() if v is not None})


DIFFERENT = {
    "absent": ("daily", table(DAILY, date=None), "field 'date' is absent"),
    "type": ("daily", table(DAILY, equity=pa.array([1])), "field 'equity' is int64, not double"),
    "unit": ("daily", table(DAILY, date=pa.array([0], pa.timestamp("ns", tz="UTC"))), "field 'date' is timestamp"),
    "zone": ("daily", table(DAILY, date=pa.array([0], pa.timestamp("us"))), "field 'date' is timestamp"),
    "other zone": ("daily", table(DAILY, date=pa.array([0], pa.timestamp("us", tz="Asia/Tokyo"))), "field 'date' is timestamp"),
    "nulls": ("daily", table(DAILY, equity=pa.array([None], pa.float64())), "field 'equity' has 1 nulls"),
    "unknown": ("daily", table(DAILY, more=pa.array([1])), "field 'more' is unknown"),
    "the first of two": ("metrics", table(METRICS, value=pa.array([1]), unit=None), "field 'value' is int64"),
    "keys": ("metrics", table(METRICS, unit=pa.array([1]).dictionary_encode()), "field 'unit' is dictionary"),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENT)
def test_a_table_that_differs_is_refused_by_its_first_field(case: str) -> None:
    name, given, words = DIFFERENT[case]
    for code, call in (
        (1005, lambda: conform(name, given, where="here")),
        (5004, lambda: _core.table_digest(name, given)),
    ):
        with pytest.raises(SweepError) as caught:
            call()
        assert caught.value.code == code
        texts = caught.value.message.lower().replace('"', "'").replace("float64", "double")
        assert words in texts


def test_texts_of_any_encoding_and_columns_of_any_order_pass() -> None:
    rows = [{"name": "a", "value": None, "unit": "x"}]
    expected = table_digest("metrics", rows)
    for text in (pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())):
        given = table(METRICS, unit=METRICS["unit"].cast(text)).select(["unit", "name", "value"])
        assert _core.table_digest("metrics", given) == expected
        checked = conform("metrics", given, where="here")
        assert checked.column_names == ["name", "value", "unit"]
        assert _core.table_digest("metrics", checked) == expected


def test_a_nullable_field_may_be_left_out_by_a_user_and_not_at_the_boundary() -> None:
    given = table(METRICS, value=None)
    assert conform("metrics", given, where="here")["value"].to_pylist() == [None]
    with pytest.raises(SweepError, match=r"\[5004\] field .value. is absent"):
        _core.table_digest("metrics", given)


@pytest.mark.parametrize(
    "call", [lambda t: conform("nothing", t, where=""), lambda t: _core.table_digest("nothing", t)]
)
def test_an_unknown_schema_is_named(call: Any) -> None:
    with pytest.raises(SweepError, match=r"\[1001\].*nothing"):
        call(table(DAILY))


def test_what_does_not_speak_arrow_is_refused() -> None:
    with pytest.raises(SweepError, match=r"\[1004\] list .*here"):
        conform("daily", [1], where="here")


ARROW = {
    "timestamp[us, tz=UTC]": pa.timestamp("us", tz="UTC"), "double": pa.float64(), "int32": pa.int32(),
    "int64": pa.int64(), "uint64": pa.uint64(), "bool": pa.bool_(), "string": pa.string(),
    "dictionary<values=string, indices=int32, ordered=0>": pa.dictionary(pa.int32(), pa.string()),
}  # fmt: skip


@given(st.sampled_from(sorted(NATIVE)), st.data())
def test_only_the_exact_types_pass(name: str, data: st.DataObject) -> None:
    """A table without rows of each schema passes; with one field of a random other type it does not."""
    _, fields = NATIVE[name]
    types = {f["name"]: ARROW[f["type"]] for f in fields}
    assert conform(name, _empty(types), where="").num_rows == 0
    assert _core.table_digest(name, _empty(types)) == table_digest(name, [])
    victim = data.draw(st.sampled_from(sorted(types)))
    others = [*ARROW.values(), pa.float32(), pa.int8(), pa.timestamp("s", tz="UTC"), pa.binary()]
    types[victim] = data.draw(st.sampled_from(others))
    text = pa.types.is_string, pa.types.is_dictionary
    original = ARROW[next(f["type"] for f in fields if f["name"] == victim)]
    alike = original == types[victim] or all(any(t(x) for t in text) for x in (original, types[victim]))
    for call in (
        lambda: conform(name, _empty(types), where=""),
        lambda: _core.table_digest(name, _empty(types)),
    ):
        if alike:
            call()
        else:
            with pytest.raises(SweepError, match=victim):
                call()


def _empty(types: Mapping[str, Any]) -> pa.Table:
    return pa.schema(list(types.items())).empty_table()
