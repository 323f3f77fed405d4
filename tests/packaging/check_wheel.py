"""Try the built packages away from the sources: `python -P check_wheel.py DIST`, run by `make wheel-test`.

Uses nothing but what the wheel and the runtime requirements brought, and maturin for a plug-in: pytest is not installed
here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

STUDY = """\
study: wheel
market: {symbol: EURUSD, timeframe: M5, synthetic: {bars: 4000, seed: 7}}
strategy: {name: ma_cross}
search: {sampler: random, trials: 16, seed: 1, batch_size: 4}
min_trades: 1
compute: {workers: 1}
"""
PLATFORM = r"(manylinux_2_28_(x86_64|aarch64)|macosx_\w+)"


def one(dist: Path, pattern: str) -> Path:
    """The only file of that form."""
    (found,) = dist.glob(pattern)
    return found


def crate_files(names: set[str], root: str) -> set[str]:
    """Manifests and Rust sources below `root`, relative to it."""
    return {name[len(root) :] for name in names if name.startswith(root) and name.endswith((".rs", ".toml"))}


def check_archives(wheel: Path, sdist: Path) -> None:
    """Tags, contents and metadata."""
    assert re.fullmatch(rf"sweep_backtest-[\w.]+-cp311-abi3-{PLATFORM}\.whl", wheel.name), wheel.name
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"sweep/__init__.py", "sweep/py.typed", "sweep/_core.pyi", "sweep/_core.abi3.so"} <= names
    assert any(name.endswith("dist-info/licenses/LICENSE") for name in names)
    top = {name.split("/")[0] for name in names}
    assert top == {"sweep", f"sweep_backtest-{metadata.version('sweep-backtest')}.dist-info"}, top

    with tarfile.open(sdist) as archive:
        prefix = f"{archive.getnames()[0].split('/')[0]}/"
        sources = {name.removeprefix(prefix) for name in archive.getnames()}
    shipped = crate_files(names, "sweep/_crates/")
    crates = {name for name in crate_files(sources, "") if name.startswith(("core_rs/", "strategies/"))}
    assert crates, "the source distribution holds no crates"
    assert crates <= shipped, f"sources missing in the wheel: {sorted(crates - shipped)}"
    assert not [name for name in names if name.startswith("sweep/_crates/") and name.endswith(".py")]
    skeletons = {name for name in sources if name.startswith("sweep/strategies/skeletons/")}
    assert any(name.endswith("rust/Cargo.toml") for name in skeletons)
    assert skeletons <= names, f"skeletons missing in the wheel: {sorted(skeletons - names)}"


def check_import(sources: Path) -> None:
    """The package comes from the environment, not from the sources; the native module belongs to it."""
    import sweep
    from sweep import _core

    for module in (sweep, _core):
        assert module.__file__ is not None
        path = Path(module.__file__).resolve()
        assert path.is_relative_to(Path(sys.prefix).resolve()), path
        assert path.parent != sources / "sweep", path
    requirements = metadata.requires("sweep-backtest") or []
    assert any(name.startswith("ray") for name in requirements), requirements


def check_crates() -> None:
    """The shipped workspace is one that Cargo accepts as it is locked."""
    import sweep

    manifest = Path(sweep.__file__).parent / "_crates" / "Cargo.toml"
    command = ["cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"]
    subprocess.run([*command, "--manifest-path", str(manifest)], check=True, stdout=subprocess.DEVNULL)


def run(*arguments: str) -> None:
    """The installed command, in this folder; a failure ends the check."""
    command = [str(Path(sys.executable).with_name("sweep")), *arguments]
    print("$ sweep", *arguments, flush=True)
    subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, env={**os.environ, "SWEEP_HOME": str(Path.cwd())}
    )


def check_study() -> None:
    """A small study, a replay and an export through the command, the trials through Python."""
    import sweep

    Path("wheel.yaml").write_text(STUDY)
    run("strategies", "list")
    run("run", "wheel.yaml")
    run("status", "wheel")
    run("replay", "wheel:0")
    run("export", "wheel", "--to", "trials.csv")
    trials = sweep.Study.open("studies/wheel").trials()
    assert trials.num_rows == 16, trials.num_rows
    assert len(Path("trials.csv").read_text().splitlines()) == 17


def check_plugin(sources: Path) -> None:
    """A native strategy of one's own, compiled of the crates in the wheel, without network."""
    run("strategies", "new", "my_rules", "--kind", "rust")
    target = Path("my_rules/crates").resolve()
    assert target.is_relative_to(Path(sys.prefix).resolve()), target
    # Compiled quickly, not to run quickly.
    crates = ("indicators", "engine", "strategies", "py")
    Path(".cargo").mkdir()
    Path(".cargo/config.toml").write_text(
        "".join(f"[profile.fast.package.sweep-{name}]\nopt-level = 0\n" for name in crates)
    )
    install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation"]
    environment = {
        **os.environ,
        "CARGO_NET_OFFLINE": "true",
        "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR", str(sources / "target")),
    }
    command = [*install, "--python", sys.executable, "--editable", "my_rules"]
    print("$", *command, flush=True)
    subprocess.run(command, check=True, env=environment)
    run("strategies", "show", "my_rules")
    run("run", "my_rules/study.yaml")


def main(dist: Path) -> None:
    """All checks, in order."""
    check_archives(one(dist, "*.whl"), one(dist, "*.tar.gz"))
    check_import(dist.parent)
    check_crates()
    check_study()
    check_plugin(dist.parent)
    print("wheel: passed")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
