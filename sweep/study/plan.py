"""A study before it exists: config, data, space, objective and sampler, all checked. Nothing is written here."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sweep import build
from sweep.artifacts import early_stop
from sweep.config import Config, dump, located, resolved
from sweep.config.engine import rate_sections
from sweep.config.gates import with_events
from sweep.errors import SweepError, error
from sweep.ledger import IdentityTemplate
from sweep.ledger.returns import Form, blocks_of
from sweep.pipeline import Halving, Rules
from sweep.pipeline.halving import FRACTIONS
from sweep.samplers.base import View
from sweep.strategies.code import strategy_of
from sweep.study.levels import Part, levels_of, traded

if TYPE_CHECKING:
    from sweep.engine import Engine
    from sweep.executors.base import EngineSpec, MarketRows
    from sweep.market.cache import DatasetCache
    from sweep.market.market import Market
    from sweep.objective import Objective
    from sweep.samplers.base import Sampler
    from sweep.space import Space
    from sweep.types import Proposal

MOST_RETURNS: Final = 200_000_000
"""Daily returns that are kept by default, over all trials."""
TRIED: Final = 8
"""Parameter sets of which one has to be accepted by a vectorised function for the look-ahead check."""
_ENGINE_KEYS: Final = ("execution", "costs", "account", "rates", "gates", "metrics")


@dataclass(frozen=True)
class Plan:
    """Everything that a run needs, and that `Study.run` writes down."""

    config: Config
    """Every option of the engine filled in."""
    declaration: Mapping[str, Any]
    markets: tuple[Market, ...]
    """One per symbol, in the order in which they trade."""
    rates: Mapping[str, Market]
    """Rate series by pair."""
    space: Space
    objective: Objective

    @cached_property
    def sampler(self) -> Sampler:
        """What proposes the trials."""
        return build.sampler(self.config, self.space, self.objective)

    @cached_property
    def config_text(self) -> str:
        """The resolved config as YAML."""
        return dump(self.config)

    @cached_property
    def pruner(self) -> Halving | None:
        """What decides which trials run on the whole window; None if all do.

        Raises:
            SweepError: [1006] for several objectives.
        """
        pruner = self.config.search.pruner
        if pruner.type == "none":
            return None
        if self.objective.several:
            remedy = "keep one objective, or leave the pruner out"
            raise error(1006, "a pruner beside several objectives", where="search.pruner", remedy=remedy)
        maximize = self.objective.directions[0] == "maximize"
        return Halving(pruner.eta, maximize, self.objective.min_trades, cycle=pruner.type == "hyperband")

    @cached_property
    def levels(self) -> Mapping[int, Sequence[Part]]:
        """Parts of the window by pruning level; empty without a pruner."""
        search = self.config.search
        return {} if self.pruner is None else levels_of(self.markets, search.pruner.resource, search.seed)

    @property
    def pruning(self) -> tuple[str, ...]:
        """What the user should know of the pruner before the run."""
        pruner, search = self.pruner, self.config.search
        if pruner is None:
            return ()
        size = search.batch_size
        cost = sum(pruner.full_runs(k, size) for k in range(len(FRACTIONS))) / len(FRACTIONS)
        total = "whole batches" if search.trials is None else f"{search.trials} trials in whole batches"
        return (
            f"pruner {search.pruner.type}: {total} of {size}; a batch costs {cost:.1f} backtests of the whole window",
        )

    @cached_property
    def level_windows(self) -> dict[int, Any]:
        """What `window` of an identity document says more of each pruning level."""
        keys = ("level", "parts")
        windows = {}
        for level in self.levels:
            window = json.loads(self.engine.identity_document(self._first.params, level=level))["window"]
            windows[level] = {key: window[key] for key in keys}
        return windows

    @cached_property
    def engine(self) -> Engine:
        """An engine of the driver, for identities and single backtests."""
        from sweep.artifacts import engine_of

        return engine_of(self.config, self.markets, self.rates, levels=self.levels)

    @property
    def datasets(self) -> dict[str, str]:
        """`Market.dataset` of every symbol."""
        return {market.symbol: market.dataset for market in self.markets}

    @property
    def most_trials(self) -> int | None:
        """Trials that are run at most; None if nothing ends them."""
        listed = getattr(self.sampler, "length", None)
        return self.config.search.trials or listed or self.space.cardinality

    @property
    def traded_bars(self) -> int:
        """Bars that a backtest of the whole window trades, all symbols together."""
        return sum(len(traded(market)) for market in self.markets)

    @cached_property
    def findings(self) -> tuple[list[str], list[str]]:
        """What is remarkable about the data, and, apart from it, what is a warning: a line each."""
        from sweep.market.findings import summary

        return summary((*self.markets, *self.rates.values()))

    @cached_property
    def build_info(self) -> dict[str, Any]:
        """Version, semantics and build of the native module."""
        from sweep import _core

        return dict(json.loads(_core.build_info()))

    @cached_property
    def metric_names(self) -> tuple[str, ...]:
        """Metrics of the catalogue, in its order."""
        from sweep.metrics import names

        return names()

    @cached_property
    def identity_base(self) -> dict[str, Any]:
        """Identity document without `params`, checked against the engine's own identity of the first proposal.

        Raises:
            SweepError: [1010] if the sampler has no valid parameter set, [4004] if the two disagree.
        """
        first = self._first
        document = self.engine.identity_document(first.params)
        base: dict[str, Any] = json.loads(document)
        del base["params"]
        template = IdentityTemplate(base, self.level_windows)
        ours = [template.document(first.key, level) for level in (None, *self.levels)]
        theirs = [document]
        theirs += [self.engine.identity_document(first.params, level=level) for level in self.levels]
        if ours != theirs:
            raise error(
                4004,
                "the engine's identity document is not that of the study",
                where=f"{theirs} / {ours}",
                remedy="report it, with the config",
                stage="engine",
            )
        return base

    def check_lookahead(self) -> None:
        """Refuse a vectorised function that reads the future, by the first parameter set that it accepts.

        Raises:
            SweepError: [1006] with the first bar and column; what the function raises, if it does for all of them.
        """
        user = self.engine.user
        if user is None or user.kind != "signals" or self.config.strategy.lookahead_check == "off":
            return
        from sweep.strategies.lookahead import check

        failures = []
        for proposal in self._proposed(TRIED):
            try:
                check(self.engine.core, len(self.markets), user, json.loads(proposal.key))
            except SweepError as problem:
                if "column" in problem.context:
                    raise
                failures.append(problem)
            else:
                return
        if failures:
            raise failures[0]

    @cached_property
    def _first(self) -> Proposal:
        """The first parameter set.

        Raises:
            SweepError: [1010] if the sampler has no valid parameter set.
        """
        first = self._proposed(1)
        if not first:
            raise error(1010, "no valid parameter set", where="search.space", remedy="relax `search.where`")
        return first[0]

    def _proposed(self, count: int) -> Sequence[Proposal]:
        """The first parameter sets."""
        nothing = View(finished=(), pending=(), used=frozenset(), stream_pos=0)
        return self.sampler.propose(0, 0, count, nothing)

    @cached_property
    def warnings(self) -> list[str]:
        """What is dubious about the strategy: a check that is off, a kind that is slow."""
        user = self.engine.user
        if user is None:
            return []
        if user.kind == "signals":
            if self.config.strategy.lookahead_check == "on":
                return []
            return [
                "strategy.lookahead_check is off: nobody has looked whether the function reads the future"
            ]
        begun = time.perf_counter()
        try:
            self.engine.run(json.loads(self._first.key))
        except SweepError as problem:
            return [f"the first parameter set fails: {problem}"]
        taken = time.perf_counter() - begun
        return [
            f"{user.name} runs bar by bar on the reference engine: {taken:.2g} s for the first parameter set here; "
            "a native strategy, or a vectorised function, takes milliseconds"
        ]

    @cached_property
    def keep_returns(self) -> Form:
        """What is kept of the daily returns: by default all of them up to 2e8, else their sums over blocks."""
        asked = self.config.search.keep_returns
        if asked is not None:
            return asked
        trials = self.most_trials or 0
        return "all" if trials * len(self.engine.dates) <= MOST_RETURNS else "blocks"

    def returns_note(self, form: Form) -> str:
        """What is kept of the daily returns, in a line."""
        if form == "none":
            return "daily returns: none are kept (search.keep_returns), so that the probability of overfitting is unknown"
        days = len(self.engine.dates)
        if form == "all":
            return f"daily returns: all are kept, {days} per trial"
        count = blocks_of(days)
        if count == 0:
            return f"daily returns: {days} days are too few for blocks, of which at least 4 have 20 days each: none are kept"
        return f"daily returns: sums over {count} blocks of {days // count} days are kept"

    def rules(self, trials: int | None, *, keep_returns: Form) -> Rules:
        """What the pipeline is told; `trials` is the budget, which an extension raises."""
        search = self.config.search
        return Rules(
            batch_size=search.batch_size,
            lag=search.lag,
            seed=search.seed,
            trials=trials,
            timeout=search.timeout,
            stagnation=search.stagnation.batches if search.stagnation else None,
            max_failure_share=search.max_failure_share,
            spool_interval=search.spool_interval,
            keep_returns=keep_returns,
        )

    def engine_spec(self, *, returns: bool) -> EngineSpec:
        """What a worker builds."""
        from sweep.executors.base import EngineSpec, MarketData

        options: dict[str, Any] = {key: getattr(self.config, key) for key in _ENGINE_KEYS}
        options["gates"] = with_events(self.config.gates)
        options["early_stop"] = early_stop(self.config)
        options["rates"] = {key: value for key, value in self.config.rates.items() if key != "series"}
        data = MarketData(
            markets=tuple(_rows(market) for market in self.markets),
            rates={pair: _rows(market) for pair, market in self.rates.items()},
        )
        return EngineSpec(
            data=data,
            strategy=strategy_of(self.config.strategy),
            options={
                **options,
                **({"levels": dict(self.levels)} if self.levels else {}),
                "cache_bytes": self.config.compute.cache_bytes,
            },
            semantics=int(self.build_info["semantics"]),
            threads=self.config.compute.threads,
            returns=returns,
        )


def _rows(market: Market) -> MarketRows:
    from sweep.executors.base import MarketRows

    higher = tuple(_rows(given) for given in market.given_higher())
    return MarketRows(market.rows(), market.meta, market.digest, higher)


def space_of(config: Config, timeframe: str, *, measured: bool = True) -> Space:
    """The space that a config searches; `timeframe` is the primary one. Raises what is wrong with it or the strategy."""
    from sweep.space import Space

    search = config.search
    return Space.build(
        declaration=build.declaration(config),
        timeframe=timeframe,
        pinned=config.strategy.params,
        space=search.space,
        where=search.where,
        others=search.others,
        seed=search.seed,
        canonicalise=build.canonicalise(config),
        locate=config.locate,
        measured=measured,
    )


def _whole_batches(config: Config) -> Config:
    """The config with the number of trials that a pruner needs."""
    search = config.search
    if search.trials is None:
        return config
    rounded = search.model_copy(update={"trials": search.whole_batches(search.trials)})
    return config.model_copy(update={"search": rounded})


def prepare(config: Config, *, cache: DatasetCache | None = None, searching: bool = True) -> Plan:
    """Check everything that a study needs, in the order: strategy, data, space, objective, sampler, engine.

    Args:
        config: the config.
        cache: where imported data are kept.
        searching: whether trials will be proposed; without, sampler and first proposal are left alone.

    Raises:
        SweepError: what is wrong, with stage config, data or engine; nothing has been written.
    """
    from sweep.market.load import load_all, load_rates

    with located(config):
        declaration = build.declaration(config)
        complete = _whole_batches(resolved(config))
        markets = load_all(config.markets, config.symbol_specs, cache=cache)
        rates = load_rates(rate_sections(config.rates), config.symbol_specs, cache=cache)
        space = space_of(config, markets[0].timeframe)
        plan = Plan(complete, declaration, markets, rates, space, build.objective(config))
        if searching:
            _ = plan.pruner, plan.sampler, plan.identity_base, plan.keep_returns
            plan.check_lookahead()
    return plan
