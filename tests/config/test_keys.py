"""Every key is known, checked, and either built or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from sweep.config import dump, load
from sweep.errors import SweepError
from tests.config.support import MINIMAL, lines, minimal, write


def refused(*overrides: str) -> SweepError:
    with pytest.raises(SweepError) as caught:
        load(minimal(), list(overrides))
    return caught.value


def test_the_defaults_are_those_of_the_interface() -> None:
    config = load({**minimal(), "search": {"trials": 10}})
    search = config.search
    assert (search.sampler, search.seed, search.batch_size, search.lag) == ("tpe", 42, 64, 2)
    assert (search.n_startup, search.startup, search.history, search.others) == (32, "qmc", 300, "search")
    assert (search.max_rejects, search.max_failure_share, search.spool_interval) == (100_000, 0.5, 5.0)
    assert (search.timeout, search.stagnation, search.keep_returns) == (None, None, None)
    assert (config.market.warmup_bars, config.market.crossed, config.market.max_alignment_loss) == (
        500,
        "count",
        0.01,
    )
    assert (config.market.symbol, config.market.timeframe, config.market.duplicates) == (
        "EURUSD",
        "M5",
        "reject",
    )
    assert [(o.metric, o.direction) for o in config.objective] == [("t_stat_r", "maximize")]
    assert (config.min_trades, config.holdout, config.execution) == (30, "none", {"preset": "realistic"})
    assert (config.compute.backend, config.compute.workers, config.compute.threads) == ("ray", "auto", 1)
    assert (config.compute.cache_bytes, config.compute.max_retries) == (512 * 2**20, 1)
    assert config.tracking.top == 50


def test_null_takes_the_default_where_it_means_nothing_else() -> None:
    config = load(
        minimal(), ["search.seed=null", "min_trades=", "execution.gap_fills=~", "costs.commission=null"]
    )
    assert (config.search.seed, config.min_trades) == (42, 30)
    assert config.execution == {"preset": "realistic"}
    assert config.costs == {}


def test_null_is_kept_where_it_means_something() -> None:
    config = load(
        minimal(), ["tracking.mlflow=null", "execution.max_positions=null", "costs.commission.decimals=null"]
    )
    assert config.tracking.mlflow is None
    assert config.execution["max_positions"] is None
    assert config.costs == {"commission": {"decimals": None}}


def test_a_preset_may_be_written_as_one_word() -> None:
    assert load(minimal(), ["execution=reference"]).execution == {"preset": "reference"}
    both = load(minimal(), ["execution=reference", "execution.seed=7"]).execution
    assert both == {"preset": "reference", "seed": 7}


def test_the_study_takes_the_name_of_its_file(tmp_path: Path) -> None:
    assert load(write(tmp_path, MINIMAL, "eurusd-a.yaml")).study == "eurusd-a"


def test_both_spellings_of_a_range_mean_the_same() -> None:
    a, b = (
        load(minimal(), [f"search.space.x={{type: int, {keys}}}"])
        for keys in ("min: 1, max: 5", "low: 1, high: 5")
    )
    assert a == b
    assert a.search.space["x"] == {"type": "int", "low": 1, "high": 5}


@pytest.mark.parametrize(
    ("override", "code", "words"),
    [
        ("serch.trials=4", 1001, "did you mean search?"),
        ("search.trails=4", 1001, "did you mean trials?"),
        ("trials=4", 1001, "did you mean search.trials?"),
        ("objective={metric: a, direction: maximize, metic: x}", 1001, "did you mean metric?"),
        ("market.symbl=A", 1001, "did you mean symbol?"),
        ("costs.slippage.fixed=1", 1001, "did you mean fixed_pips?"),
        ("symbol_specs={GBPUSD: {pip: 1}}", 1001, "symbol_specs.GBPUSD.pip"),
        ("search.sampler=tpee", 1001, "did you mean tpe?"),
        ("search.sampler={optuna: 'optuna.samplers.RandomSampler'}", 1009, "must be module:Class"),
        ("search.sampler={optuna: 'a:B', option: {}}", 1001, "did you mean options?"),
        ("search.sampler={options: {}}", 1008, "search.sampler.optuna"),
        ("costs.commission.schema=per_lott", 1001, "did you mean per_lot?"),
        ("costs.commission.percent=1", 1001, "costs.commission"),
        ("costs.commission.pct=-0.1", 1001, "costs.commission.pct is -0.1"),
        ("costs.commission.defaults.min_fee=-1", 1001, "costs.commission.defaults.min_fee"),
        ("costs.commission.per_symbol.EURUSD.per_lot=-1", 1001, "per_symbol.EURUSD.per_lot"),
        ("costs.commission.per_symbol.EURUSD.side=entr", 1001, "did you mean entry?"),
        ("costs.commission={per_lot: 1, defaults: {schema: per_lot}}", 1001, "beside defaults"),
        ("costs.commission.decimals=-1", 1003, "costs.commission.decimals"),
        ("execution.check_margin=1", 1004, "true or false"),
        ("execution.max_total_positions=0", 1003, "max_total_positions"),
        ("execution.below_min_volume=raise", 1001, "raise_to_min"),
        ("account.leverage=0", 1003, "greater than 0"),
        ("account.sizing.mode=fixed_lot", 1001, "did you mean fixed_lots?"),
        ("account.sizing.percent=0", 1003, "greater than 0"),
        ("execution=realistik", 1001, "did you mean realistic?"),
        ("tracking.runs=al", 1001, "did you mean all?"),
        ("search.trials=true", 1004, "search.trials must be a whole number, got true"),
        ("search.trials='10'", 1004, "got '10'"),
        ("search.batch_size=6.5", 1004, "whole number"),
        ("costs.slippage.fixed_pips=true", 1004, "got true"),
        ("market.max_alignment_loss=false", 1004, "got false"),
        ("compute.workers=true", 1004, "auto or a whole number"),
        ("compute.cache_bytes=true", 1004, "number of bytes"),
        ("search.timeout=true", 1004, "duration"),
        ("execution.gap_fills=1", 1004, "true or false"),
        ("strategy.params=[1]", 1004, "a mapping"),
        ("strategy.params.x=2012-01-01", 1004, "quote it"),
        ("search.space.x={low: .nan}", 1003, "search.space.x.low"),
        ("search.trials=0", 1003, "greater than or equal to 1"),
        ("min_trades=-1", 1003, "min_trades"),
        ("search.seed=-1", 1003, "search.seed"),
        ("search.max_failure_share=1.5", 1003, "less than or equal to 1"),
        ("account.initial_balance=0", 1003, "greater than 0"),
        ("costs.fee_multiplier=.inf", 1003, "finite"),
        ("market.window=[2012-02-03, 2012-02-01]", 1003, "empty window"),
        ("market.window=2012-02-03", 1004, "[start, end]"),
        ("market.window=[a, b]", 1009, "not a date"),
        ("market.timeframe=5M", 1009, "not a timeframe"),
        ("rates.static={EURusd: 1}", 1009, "currency pair"),
        ("rates.series={EUR: {synthetic: {bars: 10}}}", 1009, "currency pair"),
        ("rates.series={EURUSD: {}}", 1008, "no data in rates.series.EURUSD"),
        ("rates.series={EURUSD: {bid: b, ask: a}}", 1008, "rates.series.EURUSD.timeframe is missing"),
        ("rates.series={EURUSD: {synthetic: {bars: 9, prize: 2}}}", 1001, "did you mean price?"),
        (
            "rates.series={EURUSD: {synthetic: {bars: 9}, warmup_bars: 5}}",
            1001,
            "rates.series.EURUSD.warmup_bars",
        ),
        (
            "rates.series={EURUSD: {symbol: GBPUSD, timeframe: H1, bid: b, ask: a}}",
            1001,
            "rates.series.EURUSD.symbol: GBPUSD is the rate of GBPUSD, not of EURUSD",
        ),
        ("rates.series={EURUSD: a.parquet}", 1004, "rates.series.EURUSD must be a mapping"),
        ("rates.max_rate_age_hours=0", 1003, "greater than 0"),
        ("study=a/b", 1009, "cannot name a folder"),
        ("study=..", 1009, "cannot name a folder"),
        ("objective={metric: sharpe_ratio}", 1008, "objective.direction is missing"),
        ("objective={metric: a, expr: b, direction: minimize}", 1006, "both"),
        ("objective=[]", 1008, "empty"),
        ("constraints=[{metric: a, op: '<'}]", 1008, "constraints.0.value"),
        ("search.trials=null", 1008, "search.trials is missing"),
        ("market.synthetic=null", 1008, "no data"),
        ("market.bid=a.parquet", 1006, "together"),
        ("market.file=a.parquet", 1006, "together"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(override: str, code: int, words: str) -> None:
    problem = refused(override)
    assert problem.code == code, problem
    assert words in str(problem)
    assert f"override {override}" in str(problem) or "in market" in str(problem)
    assert "\n" not in str(problem)
    assert problem.stage == "config"


def test_up_to_three_objectives_and_what_ranks_them() -> None:
    goals = [
        {"metric": "cagr_pct", "direction": "maximize"},
        {"expr": "max_drawdown_pct / 2", "direction": "minimize", "name": "half"},
        {"metric": "total_trades", "direction": "maximize"},
    ]
    rank_by = "search.rank_by={metric: sharpe_ratio, direction: maximize}"
    found = load(minimal(), [f"objective={json.dumps(goals)}", rank_by])
    assert [goal.model_dump(exclude_none=True) for goal in found.objective] == goals
    assert found.search.rank_by is not None
    assert found.search.rank_by.metric == "sharpe_ratio"
    assert load(YAML(typ="safe", pure=True).load(dump(found))) == found
    problem = refused(f"objective={json.dumps([*goals, goals[0]])}")
    assert (problem.code, "objective" in str(problem)) == (1003, True)
    assert refused("objective=[]").code == 1008
    assert refused("search.rank_by={metric: sharpe_ratio}").code == 1008
    assert refused("search.rank_by={metric: a, expr: b, direction: maximize}").code == 1006


NOT_BUILT = [
    "search.keep_positions=all",
    "holdout=2020-02-01",
    "holdout=90 d",
    "walk_forward={mode: rolling}",
    "validation={gates: {}}",
    "compute.memory_limit=2 GiB",
]


@pytest.mark.parametrize("override", NOT_BUILT)
def test_what_is_not_built_is_refused_by_name(override: str) -> None:
    problem = refused(override)
    assert problem.code == 4001, problem
    assert override.partition("=")[0] in str(problem)
    assert problem.stage == "config"


@pytest.mark.parametrize(
    "override",
    [
        "market.higher=[]",
        "market.filter=none",
        "market.day={zone: UTC, start_hour: 0}",
        "market.stale_after=off",
        "strategy.lookahead_check=on",
        "search.pruner=none",
        "search.pruner={type: none}",
        "search.early_stop=off",
        "search.keep_positions=none",
        "holdout=none",
        "gates={}",
        "walk_forward=null",
        "compute.memory_limit=none",
    ],
)
def test_the_off_value_of_what_is_not_built_is_accepted_and_changes_nothing(override: str) -> None:
    assert load(minimal(), [override]) == load(minimal())


def test_all_problems_are_reported_together_one_per_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
        market: {synthetic: {bars: 1000, sead: 7}}
        strategy: {name: ma_cross}
        search:
          sampler: random
          trials: ten
        holdout: 90 d
        """,
    )
    with pytest.raises(SweepError) as caught:
        load(path, ["serch.trials=3"])
    head, *rest = lines(caught)
    assert head.startswith("[1000] 4 problems")
    assert {line[:6] for line in rest} == {"[1001]", "[1004]", "[4001]"}
    assert f"{path}:1" in str(caught.value)
    assert f"{path}:5" in str(caught.value)
    assert f"{path}:6" in str(caught.value)
    assert len(rest) == len(caught.value.context["problems"]) == 4


@pytest.mark.parametrize("keys", [{"bid": "b.parquet"}, {"ask": "a.parquet"}])
def test_one_side_without_the_other_is_refused(keys: dict[str, str]) -> None:
    with pytest.raises(SweepError, match=r"\[1008\]"):
        load({**minimal(), "market": {"symbol": "GBPUSD", "timeframe": "M5", **keys}})


def test_only_a_grid_has_an_end_of_its_own() -> None:
    assert load(minimal(), ["search.sampler=grid", "search.trials=null"]).search.trials is None


def test_a_rate_may_have_another_symbol_of_the_same_currencies() -> None:
    own = {"base_currency": "EUR", "quote_currency": "USD", "pip_size": 0.0001, "tick_size": 0.00001}
    steps = {"contract_size": 100_000, "volume_min": 0.01, "volume_step": 0.01, "volume_max": 100}
    series = {"symbol": "EURUSD.raw", "timeframe": "H1", "bid": "b", "ask": "a"}
    config = load(
        {
            **minimal(),
            "symbol_specs": {"EURUSD.raw": {**own, **steps}},
            "rates": {"series": {"EURUSD": series}},
        }
    )
    assert config.rates["series"]["EURUSD"]["symbol"] == "EURUSD.raw"
