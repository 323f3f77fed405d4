"""`sweep strategies new`: each kind works as it is written, away from the sources, and a parameter is declared in one place."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scripts.strategy_pages import page
from sweep.errors import SweepError
from sweep.strategies import backend
from sweep.strategies.skeleton import write
from tests.cli.support import Sweep

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
"""What is compiled on the way is shared with the project; what is made of it lies in the folder's own `target`."""
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "CARGO_BUILD_BUILD_DIR": str(SHARED),
    "CARGO_TARGET_DIR": "target",
    "PYO3_PYTHON": sys.executable,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
BUILD = "pip install --no-build-isolation --editable ."
PLAIN = "".join(
    f"[profile.fast.package.sweep-{name}]\nopt-level = 0\n"
    for name in ("indicators", "engine", "strategies", "py")
)
"""Cargo's configuration above the folder: compiling is what takes the time here, not running."""


def run(command: list[str], folder: Path) -> str:
    """What a command prints; its failure is that of the test."""
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def new(name: str, kind: str, folder: Path) -> Path:
    """A skeleton, by the command."""
    printed = run([sys.executable, "-m", "sweep", "strategies", "new", name, "--kind", kind], folder)
    made = folder / name
    listed = {line for line in printed.splitlines() if not line.startswith("read ")}
    links = {f"{name}/crates", f"{name}/Cargo.lock"}
    files = {str(path.relative_to(folder)) for path in made.rglob("*") if path.is_file()}
    assert listed == {path for path in files if path not in links and "/crates/" not in path}
    left = [path for path in listed if re.search("my_?strategy", (folder / path).read_text(), re.IGNORECASE)]
    assert left == [], "placeholders"
    return made


# ----------------------------------------------------------------------------------------------------- the Python kinds
@pytest.mark.parametrize("kind", ["signals", "python"])
def test_a_skeleton_in_python_passes_its_tests_and_is_searched(kind: str, tmp_path: Path) -> None:
    folder = new("my_rules", kind, tmp_path)
    printed = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder)
    assert "3 passed" in printed
    printed = run([sys.executable, "-m", "sweep", "run", "study.yaml", "--home", str(tmp_path)], folder)
    assert "study my_rules: FINISHED" in printed
    assert "FAILED" not in printed


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Sweep:
    """The command, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Sweep(capsys)


def test_signals_is_the_kind_that_is_not_named(sweep: Sweep, tmp_path: Path) -> None:
    assert sweep("strategies", "new", "my_rules").code == 0
    assert "@sweep.signals" in (tmp_path / "my_rules" / "my_rules.py").read_text()


# ---------------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("my_rules", "--kind", "c"), "[1001] unknown kind 'c'; --kind; use one of signals, python, rust"),
        (("my rules",), "[1009] 'my rules' cannot name a strategy"),
        (("MyRules",), "[1009] 'MyRules' cannot name a strategy"),
        (("2rules",), "[1009]"),
        (("../rules",), "[1009]"),
        (("class",), "[1009] 'class' cannot name a strategy"),
        (("fn", "--kind", "rust"), "[1009] 'fn' cannot name a strategy"),
        (("ma_cross",), "[1001] there is a strategy 'ma_cross' already"),
        (("json",), "[1001] there is a package 'json' already"),
        (("numpy", "--kind", "rust"), "[1001] there is a package 'numpy' already"),
        (("sweep_rules", "--kind", "rust"), "[1001]"),
    ],
)
def test_a_name_or_kind_that_cannot_be_is_refused(
    words: tuple[str, ...], said: str, sweep: Sweep, tmp_path: Path
) -> None:
    outcome = sweep("strategies", "new", *words)
    assert (outcome.code, outcome.err[: len(said)]) == (2, said)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "my_rules").mkdir()
    assert len(write("my_rules", "signals", tmp_path)) == 4
    (tmp_path / "other").write_text("")
    for name in ("my_rules", "other"):
        before = sorted(tmp_path.rglob("*"))
        outcome = sweep("strategies", "new", name, "--kind", "rust")
        assert (outcome.code, outcome.err[:32]) == (2, "[1007] the folder exists already")
        assert sorted(tmp_path.rglob("*")) == before


# ------------------------------------------------------------------------------------------------------ the link to the crates
def test_a_folder_that_came_from_another_machine_is_linked_again(tmp_path: Path) -> None:
    write("my_rules", "rust", tmp_path)
    folder = tmp_path / "my_rules"
    lock = (folder / "Cargo.lock").read_text()
    assert lock == (ROOT / "Cargo.lock").read_text()
    (folder / "crates").unlink()
    (folder / "crates").symlink_to(tmp_path / "elsewhere")
    (folder / "Cargo.lock").write_text("# kept")
    backend.link(folder)
    assert (folder / "crates" / "core_rs" / "engine" / "Cargo.toml").is_file()
    assert (folder / "Cargo.lock").read_text() == "# kept"
    assert "/crates\n" in (folder / ".gitignore").read_text()
    (folder / "crates").unlink()
    (folder / "crates").mkdir()
    with pytest.raises(SweepError, match="crates is no link"):
        backend.link(folder)


def test_a_sweep_without_the_crates_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "__file__", str(tmp_path / "sweep" / "strategies" / "backend.py"))
    with pytest.raises(SweepError, match=r"^\[3001\] the sources of the crates are not there"):
        write("my_rules", "rust", tmp_path)


# ------------------------------------------------------------------------------------------------------------ the Rust kind
@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The skeleton of a crate, built by the command of its README into `crate.parent / "venv"`."""
    folder = new("my_rules", "rust", tmp_path_factory.mktemp("elsewhere"))
    (folder.parent / ".cargo").mkdir()
    (folder.parent / ".cargo" / "config.toml").write_text(PLAIN)
    assert f"\n{BUILD}\n" in (folder / "README.md").read_text()
    venv = folder.parent / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", str(venv)], folder)
    packages = Path(sysconfig.get_path("platlib", vars={"platbase": str(venv)}))
    here = sysconfig.get_path("platlib")
    (packages / "base.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    build(folder)
    return folder


@contextmanager
def compiling(folder: Path) -> Iterator[None]:
    """The shared folder for oneself: to Cargo a crate of the same name elsewhere is the same, built or not by age alone."""
    SHARED.mkdir(parents=True, exist_ok=True)
    with (SHARED / ".plug-ins").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for source in (folder / "src").iterdir():
            source.touch()
        yield


def build(folder: Path) -> None:
    """The documented command, into the environment beside the folder."""
    command = [sys.executable, "-m", *BUILD.split(), "--prefix", str(folder.parent / "venv")]
    with compiling(folder):
        run(command, folder)


def python(folder: Path, *words: str) -> str:
    """The interpreter of that environment."""
    return run([str(folder.parent / "venv" / "bin" / "python"), *words], folder)


def told(folder: Path, script: str) -> Any:
    """What a script prints last, as JSON."""
    return json.loads(python(folder, "-c", script).splitlines()[-1])


@pytest.mark.slow
def test_a_crate_passes_its_tests(crate: Path) -> None:
    assert "6 passed" in python(crate, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    with compiling(crate):
        assert "2 passed" in run(["cargo", "test", "--offline"], crate)
    run(["cargo", "fmt", "--check"], crate)


STUDIES = """
import json, sys
from pathlib import Path
import sweep
from sweep import golden

home, answer = Path(sys.argv[1]), {}
for backend, workers in (("local", 1), ("ray", 2)):
    words = ["search.trials=12", f"compute={{backend: {backend}, workers: {workers}}}"]
    study = sweep.Study.run("study.yaml", words, home=home / backend)
    answer[backend] = [study.digest, study.trials()["status"].to_pylist()]
answer["replay"] = [study.replay(3).same, study.replay(11).same]
golden.record(study.folder, home / "golden", top=2)
answer["golden"] = [golden.check(home / "golden", backend=backend).exit_code for backend in ("rust", "python")]
print(json.dumps(answer))
"""


@pytest.mark.slow
@pytest.mark.ray
def test_studies_on_workers_replays_and_golden_results(crate: Path) -> None:
    answer = json.loads(python(crate, "-c", STUDIES, str(crate.parent)).splitlines()[-1])
    assert answer["local"] == answer["ray"]
    assert answer["local"][1] == ["COMPLETE"] * 12
    assert (answer["replay"], answer["golden"]) == ([True, True], [0, 0])


MARKETS = """
import json, my_rules, sweep
from sweep.arrow import read_all
from tests.several.data import generated, ticks

def bars(symbol="EURUSD", **keys):
    return sweep.Market.synthetic(symbol=symbol, bars=3000, seed=3, timeframe="M15", **keys)

def address(core):
    return read_all(core.to_table())["bid_close"].chunk(0).buffers()[1].address

BEGIN = int(bars().to_table()["timestamp"].cast("int64")[800].as_py())
yen = {"currency": "JPY", "initial_balance": 1e7, "risk_per_trade": 1e4}
cases = {
    "window": (bars().window(BEGIN, None, 300), {}),
    "symbols": ([generated("EURUSD"), generated("GBPUSD")], {}),
    "rates": (bars(), {"account": yen, "rates": {"series": {"USDJPY": bars("USDJPY", price=110.0)}}}),
    "ticks": (sweep.Market.from_arrow(ticks=ticks(), symbol="EURUSD", timeframe="M5"), {}),
}
answer = {}
for name, (market, options) in cases.items():
    native, twin = (
        sweep.Engine(market, "my_rules", backend=backend, **options).run({"period": 20}) for backend in ("rust", "python")
    )
    answer[name] = [native.digests == twin.digests, native.trades.num_rows > 5]
market = bars()
hours = sweep.Market.from_arrow(market.resample("H1"), symbol="EURUSD", timeframe="H1")
market = market.with_higher([hours])
theirs = market.core_in(my_rules._core)
answer["module"] = type(theirs) is my_rules._core.Market and market.core_in(sweep._core) is market.core
answer["memory"] = address(theirs) == address(market.core)
answer["higher"] = theirs.dataset == market.dataset != market.digest
print(json.dumps(answer))
"""


@pytest.mark.slow
def test_markets_are_handed_over_whole_and_without_a_copy(crate: Path) -> None:
    answer = told(crate, MARKETS)
    for name in ("window", "symbols", "rates", "ticks"):
        assert (name, answer.pop(name)) == (name, [True, True])
    assert answer == {"module": True, "memory": True, "higher": True}


DERIVED = """
import json
from sweep import config
from sweep.study.plan import prepare

plan = prepare(config.load("study.yaml"))
space = [dimension["name"] for dimension in plan.space.to_dict()["dimensions"]]
params = json.loads(plan.engine.identity_document({}))["params"]
print(json.dumps({"space": space, "params": params, "declaration": plan.declaration}))
"""


def derived(folder: Path, interpreter: Path) -> dict[str, bool]:
    """Where the parameter `lag` turns up: in what is searched, in what a trial is, on the strategy's page."""
    plan = json.loads(run([str(interpreter), "-c", DERIVED], folder).splitlines()[-1])
    return {
        "space": "lag" in plan["space"],
        "identity": "lag" in plan["params"],
        "page": "| `lag` | int | 1 |" in page(plan["declaration"], ""),
    }


def catalogued(folder: Path) -> dict[str, bool]:
    """Likewise in the catalogue of native strategies."""
    listed = json.loads(python(folder, "-m", "sweep", "strategies", "list", "--json"))
    declared = next(item["parameters"] for item in listed if item["id"] == folder.name)
    rules = json.loads(python(folder, "-m", "sweep", "schema"))["$defs"]["StrategyConfig"]["allOf"]
    schema = next(rule["then"] for rule in rules if rule["if"]["properties"]["name"]["const"] == folder.name)
    return {
        "listing": "lag" in {parameter["name"] for parameter in declared},
        "schema": "lag" in schema["properties"]["params"]["properties"],
        "table": "bars between" in python(folder, "-m", "sweep", "strategies", "show", folder.name),
    }


@pytest.mark.slow
def test_a_parameter_more_in_rust_is_a_change_in_one_place(crate: Path) -> None:
    interpreter = crate.parent / "venv" / "bin" / "python"
    for expected in (False, True):
        found = derived(crate, interpreter) | catalogued(crate)
        assert found == dict.fromkeys(("space", "identity", "page", "listing", "schema", "table"), expected)
        if not expected:
            source = crate / "src" / "my_rules.rs"
            more = 'int("lag", 1).at_least(0).search(0..=5).unit("bars").group("entry").doc("bars between"),'
            text = source.read_text()
            source.write_text(text.replace(".parameters([\n", f".parameters([\n{more}\n", 1))
            build(crate)


@pytest.mark.parametrize("kind", ["signals", "python"])
def test_a_parameter_more_in_python_is_a_change_in_one_place(kind: str, tmp_path: Path) -> None:
    folder = new("my_rules", kind, tmp_path)
    places = ("space", "identity", "page")
    assert derived(folder, Path(sys.executable)) == dict.fromkeys(places, False)
    source = folder / "my_rules.py"
    first = '        sweep.Param("period"'
    more = '        sweep.Param("lag", int, 1, low=0, high=5, doc="bars between"),\n'
    source.write_text(source.read_text().replace(first, more + first, 1))
    assert derived(folder, Path(sys.executable)) == dict.fromkeys(places, True)
