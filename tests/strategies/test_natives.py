"""Plug-ins by their entry points: found by name, refused with a reason, and never in the way of other strategies."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import sweep
from sweep.errors import SweepError
from sweep.recorded import check_versions
from sweep.strategies import natives
from tests.cli.support import Sweep

CORE = """
import json
from sweep import _core as real

class _core:
    Market, Engine, canonical_rows = real.Market, real.Engine, real.canonical_rows

    @staticmethod
    def build_info():
        return json.dumps({{**json.loads(real.build_info()), "semantics": {semantics}}})

    @staticmethod
    def strategies():
        known = json.loads(real.strategies())
        return json.dumps([{{**known[0], "id": name, "version": "7.0"}} for name in {strategies!r}])
"""
"""A native module in Python, with the declaration of a strategy of sweep under other names."""
SEMANTICS = sweep.engine.build_info()["semantics"]


class Site:
    """A folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, package: str, text: str, **entries: str) -> None:
        """A package of one module, with entry points in the group of strategies."""
        (self.folder / f"{package}.py").write_text(textwrap.dedent(text))
        info = self.folder / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"[{natives.GROUP}]", *(f"{name} = {value}" for name, value in entries.items())]
        (info / "entry_points.txt").write_text("\n".join(lines))
        natives._entries.cache_clear()

    def plugin(
        self, package: str, *strategies: str, semantics: int = SEMANTICS, named: tuple[str, ...] = ()
    ) -> None:
        """A plug-in that has these strategies, and names them or others."""
        text = CORE.format(semantics=semantics, strategies=list(strategies))
        self.install(package, text, **dict.fromkeys(named or strategies, package))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]
    monkeypatch.undo()
    natives._entries.cache_clear()


def refusal(name: str) -> SweepError:
    with pytest.raises(SweepError) as caught:
        natives.find(name)
    return caught.value


def test_a_plugin_is_found_by_the_name_of_its_strategy(site: Site) -> None:
    site.plugin("two_of_them", "alpha", "beta")
    site.plugin("another", "gamma")
    assert {"alpha", "beta", "gamma", "ma_cross"} <= set(natives.names())
    found = natives.find("beta")
    assert (found.declaration["id"], found.declaration["version"]) == ("beta", "7.0")
    assert found.core is sys.modules["two_of_them"]._core
    assert "another" not in sys.modules, "only what is asked for is imported"
    assert natives.find("ma_cross").core is sweep._core


def test_another_semantics_is_refused_and_both_are_named(site: Site) -> None:
    site.plugin("old", "alpha", semantics=SEMANTICS + 41)
    problem = refusal("alpha")
    assert (problem.code, problem.stage) == (4005, "engine")
    assert f"semantics {SEMANTICS + 41}, sweep has semantics {SEMANTICS}" in str(problem)
    assert "package old" in str(problem)
    with pytest.raises(SweepError, match=r"\[4005\]"):
        sweep.Engine(sweep.Market.synthetic(bars=300), "alpha")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (
            "import not_there_at_all",
            2000,
            "cannot be imported: ModuleNotFoundError: No module named 'not_the",
        ),
        ("raise ImportError('undefined symbol: PyX')", 2000, "ImportError: undefined symbol: PyX"),
        ("1 / 0", 2000, "ZeroDivisionError"),
        ("_core = None", 1004, "has no native module `_core`"),
        (
            CORE.format(semantics=SEMANTICS, strategies=["beta"]),
            1001,
            "names a strategy 'alpha' and has beta",
        ),
    ],
)
def test_a_plugin_that_cannot_be_used_says_why_and_is_in_nobody_s_way(
    site: Site, text: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.install("broken", text, alpha="broken")
    site.plugin("sound", "gamma")
    problem = refusal("alpha")
    assert problem.code == code
    assert said in str(problem)
    assert "package broken" in str(problem)
    assert sweep.Engine(sweep.Market.synthetic(bars=2000), "ma_cross").run().trades.num_rows > 0
    listed = Sweep(capsys)("strategies", "list", "--json")
    names = {item["id"] for item in json.loads(listed.out)}
    assert {"ma_cross", "gamma"} <= names
    assert "alpha" not in names
    assert f"warning: {problem}" in listed.err
    assert Sweep(capsys)("strategies", "show", "ma_cross").code == 0
    assert Sweep(capsys)("strategies", "show", "alpha").err.startswith(f"[{code}]")


def test_two_strategies_of_one_name_are_refused(site: Site) -> None:
    site.plugin("one", "alpha", "ma_cross")
    site.plugin("two", "alpha")
    problem = refusal("alpha")
    assert problem.code == 1001
    assert "2 strategies are called 'alpha': those of package" in str(problem)
    assert {"one", "two"} <= set(str(problem).replace(";", " ").split())
    assert "'ma_cross': those of sweep and package one" in str(refusal("ma_cross"))
    assert natives.find("donchian_breakout").package is None


def test_an_unknown_name_is_answered_with_the_nearest_of_all(site: Site) -> None:
    site.plugin("sound", "gamma_rays")
    assert "did you mean gamma_rays?" in str(refusal("gamma_ray"))
    assert "did you mean ma_cross" in str(refusal("ma_croos"))
    assert refusal("x").code == 1001


def test_a_twin_is_offered_by_the_package_or_missed(site: Site) -> None:
    text = CORE.format(semantics=SEMANTICS, strategies=["alpha", "beta"])
    site.install("sound", text + "\nTWINS = {'alpha': dict}", alpha="sound", beta="sound")
    assert natives.find("alpha").twin() == {}
    with pytest.raises(SweepError, match=r"\[4001\] the package sound has no twin of strategy 'beta'"):
        natives.find("beta").twin()


def test_a_record_is_refused_by_another_version_of_the_plugin(site: Site) -> None:
    site.plugin("sound", "alpha")
    record = {"engine": {"semantics": SEMANTICS}, "strategy": {"id": "alpha", "version": "7.0"}}
    assert check_versions(record, engine_change=False) == ()
    record["strategy"] = {"id": "alpha", "version": "6.0"}
    with pytest.raises(SweepError, match=r"\[4005\].*alpha 6.0 → 7.0"):
        check_versions(record, engine_change=False)
    record["strategy"] = {"id": "delta", "version": "1"}
    assert check_versions(record, engine_change=True) == ("compared although strategy delta 1 → absent",)


def test_a_study_asks_the_plugin_what_a_parameter_set_is(site: Site) -> None:
    """Its module makes parameter sets canonical, not sweep's."""
    from sweep import build, config

    site.plugin("sound", "alpha")
    whole = config.load(
        {"study": "s", "market": {"synthetic": {"bars": 300}}, "strategy": {"name": "alpha"}, "search": {"trials": 1}}
    )  # fmt: skip
    assert build.declaration(whole)["version"] == "7.0"
    assert build.canonicalise(whole) is sys.modules["sound"]._core.canonical_rows
