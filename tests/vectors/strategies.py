"""Golden signals of the shipped strategies on dataset G: counts, sums to five decimals, first rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sweep import _core


@dataclass(frozen=True)
class GoldenSignals:
    """One configuration; `first` rows are (bar, tag or side, entry, stop, target)."""

    strategy: str
    name: str
    params: Mapping[str, Any]
    """Canonical parameter set."""
    long: int
    short: int
    entry: float = 0.0
    stop: float = 0.0
    target: float = 0.0
    first: tuple[tuple[int, str, float, float, float | None], ...] = ()


def canonical(strategy: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical set of given parameters on M15, the timeframe of G."""
    (answer,) = json.loads(_core.canonicalise(strategy, "M15", json.dumps([raw])))
    if answer["problems"]:
        raise ValueError(answer["problems"])
    return dict(answer["params"])


def mean_reversion(**changes: Any) -> dict[str, Any]:
    """Base parameters of the golden table, with changes."""
    base = {
        "window_length": 60,
        "b_b_length": 20,
        "std_factor": 1.5,
        "kalman_r": 0.5,
        "kalman_q": 0.1,
        "z_score_long": -1.0,
        "z_score_short": 1.0,
        "atr_mult": 1.5,
        "atr_length": 14,
        "ema_length": 20,
        "tp_min_distance": 3,
        "garch_alpha": 0.1,
        "garch_beta": 0.8,
        "garch_min_periods": 40,
        "intraday_vol_cluster_window": 200,
    }
    return canonical("mean_reversion_z_score", base | changes)


def ma_cross(**changes: Any) -> dict[str, Any]:
    """Default parameters, with changes."""
    return canonical("ma_cross", changes)


def rsi_reversal_limit(**changes: Any) -> dict[str, Any]:
    """Default parameters, with changes."""
    return canonical("rsi_reversal_limit", changes)


def mtf_trend_pullback(**changes: Any) -> dict[str, Any]:
    """Default parameters, with changes."""
    return canonical("mtf_trend_pullback", changes)


OVERLAY_H1 = {
    "window_length": 20,
    "b_b_length": 10,
    "std_factor": 1.0,
    "z_score_long": -0.5,
    "z_score_short": 0.5,
}
OVERLAY_H4 = {**OVERLAY_H1, "window_length": 5, "b_b_length": 5, "std_factor": 0.5}

MEAN_REVERSION = [
    GoldenSignals(
        "mean_reversion_z_score",
        "1",
        mean_reversion(scenario=1),
        113,
        113,
        248.61064,
        248.59549,
        248.59835,
        (
            (60, "short_1", 1.10160340, 1.10431, 1.09944),
            (63, "short_1", 1.10236435, 1.10490, 1.10000),
            (64, "short_1", 1.10255109, 1.10517, 1.10024),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "2",
        mean_reversion(scenario=2),
        84,
        83,
        183.71706,
        183.70387,
        183.70803,
        (
            (59, "short_2", 1.10087737, 1.10347, 1.09833),
            (60, "short_2", 1.10160340, 1.10431, 1.09854),
            (63, "short_2", 1.10236435, 1.10490, 1.09915),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "2, filter A = H1, 20, above",
        mean_reversion(scenario=2, htf_tf="H1", htf_ema=20, htf_filter="above"),
        23,
        61,
        92.59378,
        92.69217,
        92.42093,
        (
            (63, "short_2", 1.10236435, 1.10490, 1.09915),
            (64, "short_2", 1.10255109, 1.10517, 1.09942),
            (67, "short_2", 1.10329155, 1.10584, 1.10020),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "2, filter A = H4, 5, below",
        mean_reversion(scenario=2, htf_tf="H4", htf_ema=5, htf_filter="below"),
        41,
        58,
        108.80404,
        108.84300,
        108.77034,
        (
            (59, "short_2", 1.10087737, 1.10347, 1.09833),
            (60, "short_2", 1.10160340, 1.10431, 1.09854),
            (80, "long_2", 1.10002698, 1.09719, 1.10209),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "2, A = H1, 20, above and B = H4, 5, below",
        mean_reversion(
            scenario=2,
            htf_tf="H1",
            htf_ema=20,
            htf_filter="above",
            extra_htf_tf="H4",
            extra_htf_ema=5,
            extra_htf_filter="below",
        ),
        0,
        36,
        39.65756,
        39.75317,
        39.52641,
        (
            (115, "short_2", 1.09875694, 1.10153, 1.09497),
            (116, "short_2", 1.09880913, 1.10142, 1.09520),
            (118, "short_2", 1.09964584, 1.10233, 1.09574),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "3",
        mean_reversion(scenario=3),
        84,
        83,
        183.71706,
        183.70387,
        183.70792,
        (
            (59, "short_3", 1.10087737, 1.10347, 1.09922),
            (60, "short_3", 1.10160340, 1.10431, 1.09944),
            (63, "short_3", 1.10236435, 1.10490, 1.10000),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "3, tp_min_distance 20",
        mean_reversion(scenario=3, tp_min_distance=20),
        58,
        62,
        132.00999,
        132.01365,
        131.99551,
        (
            (60, "short_3", 1.10160340, 1.10431, 1.09944),
            (63, "short_3", 1.10236435, 1.10490, 1.10000),
            (64, "short_3", 1.10255109, 1.10517, 1.10024),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "3, tp_min_distance 10000",
        mean_reversion(scenario=3, tp_min_distance=10000),
        0,
        0,
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "4, z ±0.3",
        mean_reversion(scenario=4, z_score_long=-0.3, z_score_short=0.3),
        124,
        130,
        279.43473,
        279.43672,
        279.40381,
        (
            (55, "short_4", 1.09919451, 1.10181, 1.09795),
            (56, "short_4", 1.10027813, 1.10301, 1.09805),
            (57, "short_4", 1.10002235, 1.10294, 1.09811),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "4, z ±0.3, local_z_lookback 120",
        mean_reversion(scenario=4, z_score_long=-0.3, z_score_short=0.3, local_z_lookback=120),
        130,
        129,
        284.93609,
        284.91704,
        284.91710,
        (
            (55, "short_4", 1.09919451, 1.10181, 1.09795),
            (56, "short_4", 1.10027813, 1.10301, 1.09805),
            (57, "short_4", 1.10002235, 1.10294, 1.09811),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "5, garch_forecast, cluster window 150, garch lookback 300",
        mean_reversion(scenario=5, intraday_vol_cluster_window=150, intraday_vol_garch_lookback=300),
        17,
        50,
        73.76414,
        73.84996,
        73.63870,
        (
            (111, "short_5", 1.09668520, 1.09937, 1.09437),
            (112, "short_5", 1.09715703, 1.09970, 1.09448),
            (114, "short_5", 1.09743093, 1.10012, 1.09471),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "5, atr_points, allowed {high}",
        mean_reversion(scenario=5, intraday_vol_feature="atr_points", intraday_vol_allowed="high"),
        61,
        54,
        126.51817,
        126.49291,
        126.52619,
        (
            (80, "long_5", 1.10002698, 1.09719, 1.10209),
            (83, "long_5", 1.09912622, 1.09637, 1.10183),
            (84, "long_5", 1.09821830, 1.09537, 1.10161),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "5, the same, hysteresis 2",
        mean_reversion(
            scenario=5,
            intraday_vol_feature="atr_points",
            intraday_vol_allowed="high",
            cluster_hysteresis_bars=2,
        ),
        20,
        18,
        41.81090,
        41.80361,
        41.81710,
        (
            (84, "long_5", 1.09821830, 1.09537, 1.10161),
            (88, "long_5", 1.09646210, 1.09366, 1.10058),
            (90, "long_5", 1.09620537, 1.09344, 1.09996),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "5, atr_points, k 2, allowed {mid}",
        mean_reversion(
            scenario=5,
            intraday_vol_feature="atr_points",
            intraday_vol_allowed="mid",
            intraday_vol_cluster_k=2,
        ),
        77,
        70,
        161.70111,
        161.67363,
        161.71252,
        (
            (80, "long_5", 1.10002698, 1.09719, 1.10209),
            (83, "long_5", 1.09912622, 1.09637, 1.10183),
            (84, "long_5", 1.09821830, 1.09537, 1.10161),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "6, H1, all",
        mean_reversion(scenario=6, scenario6_timeframes="H1", scenario6_params={"H1": OVERLAY_H1}),
        42,
        39,
        89.09913,
        89.08677,
        89.10349,
        (
            (87, "long_6", 1.09691377, 1.09406, 1.10091),
            (88, "long_6", 1.09646210, 1.09366, 1.10058),
            (90, "long_6", 1.09620537, 1.09344, 1.09996),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "6, H1 and H4, all",
        mean_reversion(
            scenario=6,
            scenario6_timeframes=["H4", "H1"],
            scenario6_params={"H1": OVERLAY_H1, "H4": OVERLAY_H4},
        ),
        17,
        18,
        38.50569,
        38.50646,
        38.49955,
        (
            (95, "long_6", 1.09364217, 1.09084, 1.09794),
            (175, "short_6", 1.10414360, 1.10666, 1.09990),
            (177, "short_6", 1.10459520, 1.10731, 1.10058),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "6, H1 or H4",
        mean_reversion(
            scenario=6,
            scenario6_timeframes="H1+H4",
            scenario6_mode="any",
            scenario6_params={"H1": OVERLAY_H1, "H4": OVERLAY_H4},
        ),
        44,
        41,
        93.49784,
        93.48523,
        93.50296,
        (
            (87, "long_6", 1.09691377, 1.09406, 1.10091),
            (88, "long_6", 1.09646210, 1.09366, 1.10058),
            (90, "long_6", 1.09620537, 1.09344, 1.09996),
        ),
    ),
    GoldenSignals(
        "mean_reversion_z_score",
        "all six",
        mean_reversion(),
        137,
        141,
        305.81755,
        305.80975,
        305.79123,
        (
            (56, "short_4", 1.10027813, 1.10301, 1.09805),
            (59, "short_2", 1.10087737, 1.10347, 1.09833),
            (60, "short_1", 1.10160340, 1.10431, 1.09944),
        ),
    ),
]

MA_CROSS = [
    GoldenSignals(
        "ma_cross",
        "defaults",
        ma_cross(),
        10,
        10,
        22.00487,
        22.00489,
        22.00480,
        (
            (67, "long", 1.10341, 1.10046, 1.11225),
            (83, "short", 1.09902, 1.10196, 1.09021),
            (121, "long", 1.10047, 1.09759, 1.10912),
            (151, "short", 1.09737, 1.10027, 1.08867),
        ),
    ),
    GoldenSignals(
        "ma_cross",
        "sma 10/30, confirm_bars 2, adx_min 20",
        ma_cross(fast_period=10, slow_period=30, ma_type="sma", confirm_bars=2, adx_min=20),
        10,
        10,
        22.00048,
        22.00056,
        22.00026,
        (
            (60, "long", 1.10173, 1.09876, 1.11062),
            (84, "short", 1.09812, 1.10111, 1.08913),
            (115, "long", 1.09887, 1.09581, 1.10804),
            (146, "short", 1.09862, 1.10157, 1.08978),
        ),
    ),
    GoldenSignals(
        "ma_cross",
        "defaults, adx_min 35",
        ma_cross(adx_min=35),
        2,
        2,
        4.40021,
        4.40033,
        4.39983,
        (
            (121, "long", 1.10047, 1.09759, 1.10912),
            (206, "short", 1.09877, 1.10178, 1.08973),
            (292, "long", 1.10130, 1.09833, 1.11022),
            (377, "short", 1.09966, 1.10263, 1.09076),
        ),
    ),
    GoldenSignals(
        "ma_cross",
        "defaults, adx_min 35, adx_seed first",
        ma_cross(adx_min=35, adx_seed="first"),
        3,
        2,
        5.50361,
        5.50079,
        5.51208,
        (
            (67, "long", 1.10341, 1.10046, 1.11225),
            (121, "long", 1.10047, 1.09759, 1.10912),
            (206, "short", 1.09877, 1.10178, 1.08973),
            (292, "long", 1.10130, 1.09833, 1.11022),
        ),
    ),
]

RSI_REVERSAL = [
    GoldenSignals(
        "rsi_reversal_limit",
        "defaults",
        rsi_reversal_limit(),
        24,
        21,
        49.49706,
        49.49032,
        49.50470,
        (
            (37, "long", 1.09864, 1.09643, 1.10259),
            (41, "long", 1.09785, 1.09567, 1.10102),
            (44, "long", 1.09697, 1.09478, 1.09987),
            (89, "long", 1.09653, 1.09432, 1.10031),
        ),
    ),
    GoldenSignals(
        "rsi_reversal_limit",
        "entry_offset_atr 0, tp_mode r",
        rsi_reversal_limit(entry_offset_atr=0, tp_mode="r"),
        24,
        21,
        49.49820,
        49.49146,
        49.50835,
        (
            (37, "long", 1.09900, 1.09679, 1.10232),
            (41, "long", 1.09821, 1.09603, 1.10148),
            (44, "long", 1.09734, 1.09515, 1.10063),
            (89, "long", 1.09689, 1.09468, 1.10020),
        ),
    ),
    GoldenSignals(
        "rsi_reversal_limit",
        "min_rr 1.0",
        rsi_reversal_limit(min_rr=1.0),
        21,
        18,
        42.89674,
        42.88999,
        42.90455,
        (
            (37, "long", 1.09864, 1.09643, 1.10259),
            (41, "long", 1.09785, 1.09567, 1.10102),
            (44, "long", 1.09697, 1.09478, 1.09987),
            (89, "long", 1.09653, 1.09432, 1.10031),
        ),
    ),
    GoldenSignals(
        "rsi_reversal_limit",
        "rsi_period 21, oversold 35, overbought 65",
        rsi_reversal_limit(rsi_period=21, oversold=35, overbought=65),
        19,
        18,
        40.70271,
        40.70037,
        40.70575,
        (
            (41, "long", 1.09785, 1.09567, 1.10102),
            (44, "long", 1.09697, 1.09478, 1.09987),
            (89, "long", 1.09653, 1.09432, 1.10031),
            (100, "long", 1.09369, 1.09149, 1.09609),
        ),
    ),
    GoldenSignals(
        "rsi_reversal_limit",
        "the same, rsi_seed first",
        rsi_reversal_limit(rsi_period=21, oversold=35, overbought=65, rsi_seed="first"),
        17,
        18,
        38.50789,
        38.50992,
        38.50486,
        (
            (89, "long", 1.09653, 1.09432, 1.10031),
            (100, "long", 1.09369, 1.09149, 1.09609),
            (103, "long", 1.09328, 1.09113, 1.09515),
            (124, "short", 1.10185, 1.10407, 1.09796),
        ),
    ),
]

MTF_TREND = [
    GoldenSignals(
        "mtf_trend_pullback",
        "htf H1, htf_ema 20",
        mtf_trend_pullback(htf="H1", htf_ema=20),
        5,
        4,
        9.90267,
        9.89931,
        0.0,
        (
            (79, "short", 1.10109, 1.10306, None),
            (163, "long", 1.09920, 1.09624, None),
            (248, "long", 1.10231, 1.10040, None),
            (279, "short", 1.09473, 1.09634, None),
        ),
    ),
    GoldenSignals(
        "mtf_trend_pullback",
        "the same, adx_min 35",
        mtf_trend_pullback(htf="H1", htf_ema=20, adx_min=35),
        2,
        2,
        4.40008,
        4.39979,
        0.0,
        (
            (279, "short", 1.09473, 1.09634, None),
            (311, "long", 1.10193, 1.10009, None),
            (536, "long", 1.10546, 1.10362, None),
            (568, "short", 1.09796, 1.09974, None),
        ),
    ),
    GoldenSignals(
        "mtf_trend_pullback",
        "the same, max_sl_atr 1.2",
        mtf_trend_pullback(htf="H1", htf_ema=20, max_sl_atr=1.2),
        0,
        2,
        2.19298,
        2.19629,
        0.0,
        ((279, "short", 1.09473, 1.09634, None), (335, "short", 1.09825, 1.09995, None)),
    ),
    GoldenSignals(
        "mtf_trend_pullback",
        "the same, min_sl_atr 2.5",
        mtf_trend_pullback(htf="H1", htf_ema=20, min_sl_atr=2.5),
        5,
        4,
        9.90267,
        9.89905,
        0.0,
        (
            (79, "short", 1.10109, 1.10472, None),
            (163, "long", 1.09920, 1.09551, None),
            (248, "long", 1.10231, 1.09872, None),
            (279, "short", 1.09473, 1.09839, None),
        ),
    ),
    GoldenSignals(
        "mtf_trend_pullback",
        "htf H4, htf_ema 5",
        mtf_trend_pullback(htf="H4", htf_ema=5),
        4,
        4,
        8.80347,
        8.80307,
        0.0,
        (
            (79, "short", 1.10109, 1.10306, None),
            (248, "long", 1.10231, 1.10040, None),
            (279, "short", 1.09473, 1.09634, None),
            (311, "long", 1.10193, 1.10009, None),
        ),
    ),
]
GOLDEN_SIGNALS = [*MEAN_REVERSION, *MA_CROSS, *RSI_REVERSAL, *MTF_TREND]
