"""Worked values of indicators, as plain data that any implementation can be run on.

Datasets A, B and P (nine significant digits), golden dataset G (ten), and degenerate bars. NaN means undefined.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.vectors.golden_g import A, flat

NAN = math.nan


@dataclass(frozen=True)
class Row:
    """One series on a small dataset; `output` names one of several."""

    id: str
    params: Mapping[str, Any]
    output: str | None
    dataset: str
    text: str

    @property
    def values(self) -> list[float]:
        """The twelve values."""
        return [float(x) for x in self.text.split()]


@dataclass(frozen=True)
class LocalRow:
    """What a local form says about one bar of a small dataset: a number, or named outputs."""

    id: str
    params: Mapping[str, Any]
    dataset: str
    expected: float | Mapping[str, int | Sequence[float]]


@dataclass(frozen=True)
class GoldenRow:
    """One series on G: first defined index, values at the bars of `GOLDEN_BARS`."""

    id: str
    params: Mapping[str, Any]
    output: str | None
    first: int
    text: str

    @property
    def values(self) -> list[float]:
        """The values."""
        return [float(x) for x in self.text.split()]


@dataclass(frozen=True)
class HigherRow:
    """One series on the bars of G joined to longer ones, as the M15 bars of `HIGHER_BARS` see it.

    `id` is an indicator or the field of a bar; `group` is the number of M15 bars in one of its bars.
    """

    group: int
    id: str
    params: Mapping[str, Any]
    output: str | None
    first: int
    text: str
    on: str = "bars"
    side: str = "bid"

    @property
    def values(self) -> list[float]:
        """The values."""
        return [float(x) for x in self.text.split()]


@dataclass(frozen=True)
class Degenerate:
    """One series on degenerate bars: undefined before `first` (everywhere without it), defined from there on."""

    name: str
    bars: Mapping[str, Sequence[float]]
    id: str
    params: Mapping[str, Any]
    first: int | None = None
    constant: float | None = None
    """The value from `first` on."""
    at: Mapping[int, float] = field(default_factory=dict)
    """Values at single bars, to nine significant digits."""
    output: str | None = None
    rtol: float = 0.0
    """Of `constant`."""


def _rows(id: str, params: Mapping[str, Any], output: str | None, **texts: str) -> list[Row]:
    return [Row(id, params, output, dataset, text) for dataset, text in texts.items()]


GOLDEN_BARS = (30, 100, 300, 599)
HIGHER_BARS = (30, 98, 99, 300, 599)

WORKED: list[Row] = [
    *_rows(
        "ema",
        {"period": 3},
        None,
        A="10 10.25 10.875 10.9375 10.56875 10.884375 11.7421875 11.9210938 12.6605469 13.0302734 12.8651367 13.4325684",
        B="NaN 10.5 11 11 10.6 10.6 11.9333333 12.0166667 12.7083333 13.0541667 12.8770833 13.4385417",
    ),
    *_rows(
        "ema",
        {"period": 4},
        None,
        A="10 10.2 10.72 10.832 10.5792 10.82752 11.536512 11.7619072 12.4171443 12.8102866 12.766172 13.2597032",
        B="NaN 10.5 10.9 10.94 10.644 10.644 11.6734737 11.8440842 12.4664505 12.8398703 12.7839222 13.2703533",
    ),
    *_rows(
        "sma",
        {"period": 3},
        None,
        A="NaN NaN 10.6666667 11 10.9 10.8 11.3333333 11.9666667 12.7 12.9666667 13.1666667 13.3666667",
        B="NaN NaN NaN 11 10.9 NaN NaN NaN 12.7 12.9666667 13.1666667 13.3666667",
    ),
    *_rows(
        "rsi",
        {"period": 3, "seed": "wilder"},
        None,
        A="NaN NaN NaN 75 46.875 68.8073394 83.2923833 66.6994589 81.2595156 81.2595156 53.1204053 76.1385289",
        B="NaN NaN NaN NaN 43.4782609 43.4782609 43.4782609 32.7868852 65.6903766 65.6903766 41.2344058 71.1522965",
    ),
    *_rows(
        "rsi",
        {"period": 3, "seed": "first"},
        None,
        A="NaN 100 100 72.7272727 43.956044 67.8233438 83.0141549 66.2568533 81.1201487 81.1201487 52.893088 76.0797764",
        B="NaN NaN 100 80 54.0540541 54.0540541 54.0540541 32.0962889 66.0055235 66.0055235 41.1247116 71.2814154",
    ),
    *_rows(
        "macd",
        {"fast": 3, "slow": 6, "signal": 4},
        "line",
        A="0 0.107142857 0.344387755 0.272776968 0.0368049771 0.161557126 0.483031876 0.421696876 0.618120536 0.59996891 0.357776342 0.498739519",
        B="NaN 0 0.214285714 0.153061224 -0.0620991254 -0.0620991254 0.575577484 0.44684106 0.615600757 0.587929112 0.344056509 0.486379649",
    ),
    *_rows(
        "macd",
        {"fast": 3, "slow": 6, "signal": 4},
        "signal",
        A="0 0.0428571429 0.163469388 0.20719242 0.139037443 0.148045316 0.28203994 0.337902714 0.449989843 0.50998147 0.449099419 0.468955459",
        B="NaN 0 0.0857142857 0.112653061 0.0427521866 0.000811661808 0.230717991 0.317167218 0.436540634 0.497096025 0.435880219 0.456079991",
    ),
    *_rows(
        "macd",
        {"fast": 3, "slow": 6, "signal": 4},
        "hist",
        A="0 0.0642857143 0.180918367 0.0655845481 -0.102232466 0.0135118103 0.200991936 0.0837941614 0.168130693 0.08998744 -0.0913230768 0.0297840601",
        B="NaN 0 0.128571429 0.0404081633 -0.104851312 -0.0629107872 0.344859493 0.129673842 0.179060123 0.090833087 -0.0918237099 0.0302996583",
    ),
    *_rows(
        "roc",
        {"period": 3},
        None,
        A="NaN NaN NaN 10 -2.85714286 -2.60869565 14.5454545 18.627451 19.6428571 6.34920635 4.95867769 4.47761194",
        B="NaN NaN NaN NaN -2.85714286 NaN 14.5454545 18.627451 NaN 6.34920635 4.95867769 4.47761194",
    ),
    *_rows(
        "momentum",
        {"period": 3},
        None,
        A="NaN NaN NaN 1 -0.3 -0.3 1.6 1.9 2.2 0.8 0.6 0.6",
        B="NaN NaN NaN NaN -0.3 NaN 1.6 1.9 NaN 0.8 0.6 0.6",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "plus_di",
        A="NaN NaN NaN 37.037037 22.2222222 26.984127 46.6845878 35.1908139 43.8422688 35.9334144 24.9020584 34.1142834",
        B="NaN NaN NaN NaN 25 25 25 17.1206226 35.8 29.2048369 19.6039847 31.4779271",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "minus_di",
        A="NaN NaN NaN 0 26.6666667 15.2380952 8.60215054 6.48429585 3.72960373 2.82841675 18.7052563 10.9280818",
        B="NaN NaN NaN NaN 27.2727273 27.2727273 27.2727273 18.6770428 9.6 7.03554416 22.6540401 12.856395",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "adx",
        A="NaN NaN NaN NaN NaN 45.6368193 53.3851081 58.5506339 67.1404662 73.229036 53.5561789 52.8629293",
        B="NaN NaN NaN NaN NaN NaN NaN NaN 22.1349678 35.1476125 25.83764 31.225933",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "first"},
        "plus_di",
        A="0 16 43.1578947 28.3737024 18.1818182 24.2795628 44.4199001 33.7776155 42.8847625 35.2986604 24.5518909 33.8642858",
        B="NaN 0 33.3333333 22.2222222 14.379085 9.58605664 5.10398542 3.87512778 25.5487983 22.0942328 15.3574091 28.485709",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "first"},
        "minus_di",
        A="0 0 0 0 23.9467849 14.309374 8.29811756 6.31002374 3.6712841 2.79474853 18.5503863 10.8750391",
        B="NaN 0 0 0 23.5294118 15.6862745 8.35197614 6.34111819 3.6817883 2.8008315 18.5784513 10.8846785",
    ),
    *_rows(
        "dmi",
        {"period": 3, "seed": "first"},
        "adx",
        A="NaN 100 100 100 71.2280702 56.0976834 60.2380742 62.9983348 70.0750699 75.1590018 54.7472909 53.626486",
        B="NaN NaN 100 100 74.7126437 57.8544061 46.6155811 39.1230311 51.0182406 59.8451275 43.0606047 43.6091588",
    ),
    *_rows(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "upper",
        A="NaN NaN 12.1941919 12 12.2114877 11.8583005 13.7444188 13.3855864 14.0114877 14.4677774 13.974957 14.6679481",
        B="NaN NaN NaN 12 12.2114877 NaN NaN NaN 14.0114877 14.4677774 13.974957 14.6679481",
    ),
    *_rows(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "mid",
        A="NaN NaN 10.6666667 11 10.9 10.8 11.3333333 11.9666667 12.7 12.9666667 13.1666667 13.3666667",
        B="NaN NaN NaN 11 10.9 NaN NaN NaN 12.7 12.9666667 13.1666667 13.3666667",
    ),
    *_rows(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "lower",
        A="NaN NaN 9.13914144 10 9.5885123 9.74169948 8.92224782 10.5477469 11.3885123 11.465556 12.3583763 12.0653852",
        B="NaN NaN NaN 10 9.5885123 NaN NaN NaN 11.3885123 11.465556 12.3583763 12.0653852",
    ),
    *_rows(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "upper",
        A="NaN NaN 11.9138858 11.8164966 11.9708252 11.6640988 13.3019764 13.1252098 13.7708252 14.1923184 13.826633 14.4291585",
        B="NaN NaN NaN 11.8164966 11.9708252 NaN NaN NaN 13.7708252 14.1923184 13.826633 14.4291585",
    ),
    *_rows(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "lower",
        A="NaN NaN 9.41944754 10.1835034 9.82917477 9.93590124 9.36469026 10.8081235 11.6291748 11.7410149 12.5067003 12.3041748",
        B="NaN NaN NaN 10.1835034 9.82917477 NaN NaN NaN 11.6291748 11.7410149 12.5067003 12.3041748",
    ),
    *_rows(
        "rolling_std",
        {"period": 3},
        None,
        A="NaN NaN 0.763762616 0.5 0.655743852 0.529150262 1.20554275 0.709459888 0.655743852 0.75055535 0.404145188 0.65064071",
        B="NaN NaN NaN 0.5 0.655743852 NaN NaN NaN 0.655743852 0.75055535 0.404145188 0.65064071",
    ),
    *_rows(
        "rolling_std",
        {"period": 3, "ddof": 0},
        None,
        A="NaN NaN 0.623609564 0.40824829 0.535412613 0.43204938 0.984321537 0.579271573 0.535412613 0.612825877 0.329983165 0.531245915",
        B="NaN NaN NaN 0.40824829 0.535412613 NaN NaN NaN 0.535412613 0.612825877 0.329983165 0.531245915",
    ),
    *_rows(
        "atr",
        {"period": 3},
        None,
        A="NaN NaN 1.06666667 1.07777778 1.11851852 1.24567901 1.43045267 1.25363512 1.43575674 1.25717116 1.20478078 1.36985385",
        B="NaN NaN NaN 1.16666667 1.17777778 1.17777778 1.38518519 1.22345679 1.41563786 1.24375857 1.19583905 1.3638927",
    ),
    *_rows(
        "choppiness",
        {"period": 3},
        None,
        A="NaN NaN 30.0598938 50.9384242 58.4240585 63.0929754 36.9070246 36.9070246 46.4973521 53.5026479 63.0929754 60.6655269",
        B="NaN NaN NaN 50.9384242 58.4240585 NaN NaN NaN 46.4973521 53.5026479 63.0929754 60.6655269",
    ),
    *_rows(
        "kalman_mean",
        {"r": 0.01, "q": 1.0},
        None,
        A="10 10.495098 11.4901471 11.0048058 10.207891 11.1902725 12.5861778 12.1047669 13.3873004 13.3998755 12.7068622 13.987321",
        B="NaN 10.5 11.4901961 11.0048063 10.207891 10.207891 12.5881573 12.1047861 13.3873006 13.3998755 12.7068622 13.987321",
    ),
    *_rows(
        "kalman_mean",
        {"r": 0.5, "q": 0.1},
        None,
        A="10 10.2727273 10.796875 10.8751601 10.6258601 10.83413 11.4700248 11.6961964 12.3071293 12.6987991 12.6992294 13.1652687",
        B="NaN 10.5 11.0454545 11.0260417 10.7076825 10.7076825 11.5401176 11.758588 12.3678002 12.7430297 12.7275209 13.1845274",
    ),
    *_rows(
        "kalman_zscore",
        {"window": 4, "r": 0.01, "q": 1.0},
        None,
        A="NaN NaN NaN -0.761585164 -0.953625256 1.03456192 1.29533367 -0.447108838 1.47664555 0.0134954093 -0.78244041 1.30711468",
        B="NaN NaN NaN NaN -1.02044887 NaN NaN NaN NaN 0.0143575262 -0.782118589 1.30712165",
    ),
    *_rows(
        "kalman_zscore",
        {"window": 4, "r": 0.5, "q": 0.1},
        None,
        A="NaN NaN NaN 0.406289992 -0.919181684 0.769760245 1.75002864 0.635273264 2.60174062 2.03181705 0.00166764152 1.78757692",
        B="NaN NaN NaN NaN -1.29164994 NaN NaN NaN NaN 1.92556858 -0.0609671568 1.78125196",
    ),
    *_rows(
        "zscore",
        {"window": 4, "mode": "rolling"},
        None,
        A="NaN NaN NaN 0.387298335 -1.04978132 0.404656188 1.35225564 0.544337406 1.1665732 0.820746766 -0.318896402 1.17590109",
        B="NaN NaN NaN NaN -1.04978132 NaN NaN NaN NaN 0.820746766 -0.318896402 1.17590109",
    ),
    *_rows(
        "zscore",
        {"window": 3, "mode": "rolling_residual"},
        None,
        A="NaN NaN NaN NaN -0.911894995 0.718421208 1.28512413 0.22501758 1.23529412 1.52853051 -0.763384047 1.08087224",
        B="NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN -0.763384047 1.08087224",
    ),
    *_rows(
        "zscore",
        {"window": 4, "mode": "ema_residual", "ema_period": 3},
        None,
        A="NaN NaN NaN 0.222222222 -0.892480777 0.75126167 1.67444793 0.355081473 2.2628443 1.16894748 -0.437451459 1.44657829",
        B="NaN NaN NaN NaN -1.08531752 NaN NaN NaN NaN 1.19655891 -0.476899467 1.46745281",
    ),
    *_rows(
        "dema",
        {"period": 3},
        None,
        A="10 10.375 11.25 11.15625 10.49375 11.0046875 12.23125 12.2550781 13.1972656 13.4834961 13.0091797 13.7883057",
        B="NaN 10.5 11.25 11.125 10.4625 10.53125 12.565625 12.3744792 13.2330729 13.4894531 13.0061849 13.7838216",
    ),
    *_rows(
        "tema",
        {"period": 3},
        None,
        A="10 10.4375 11.40625 11.15625 10.346875 11.0289062 12.4277344 12.2757813 13.3089844 13.4976074 12.8616455 13.8203857",
        B="NaN 10.5 11.375 11.125 10.33125 10.5 12.9005208 12.4046875 13.3316406 13.4940104 12.8553711 13.8165039",
    ),
    Row(
        "garch_volatility",
        {"min_periods": 3},
        None,
        "P",
        "NaN NaN NaN NaN 0.00334535953 0.00509487306 0.00512942559 0.00641982688 0.00637925846 0.0071117077 0.00689559873 0.00742220017",
    ),
    Row(
        "garch_volatility",
        {"min_periods": 3, "omega": 0.02},
        None,
        "P",
        "NaN NaN NaN NaN 0.0040757106 0.00573024557 0.00587377106 0.00711233673 0.00715045274 0.00787191296 0.00773310037 0.00825320871",
    ),
    Row(
        "garch_volatility",
        {"min_periods": 3, "use_log_returns": False},
        None,
        "P",
        "NaN NaN NaN NaN 0.00335728016 0.00510520121 0.00514667886 0.00643388339 0.00640010132 0.00713169714 0.00691806263 0.00744449967",
    ),
    Row(
        "garch_volatility",
        {"min_periods": 3},
        None,
        "P5",
        "NaN NaN NaN NaN 0.00334535953 0.00334535953 0.00334535953 0.00509487306 0.00519270039 0.00618212466 0.00603550601 0.0067141121",
    ),
    Row(
        "garch_vt",
        {"min_periods": 3},
        None,
        "P",
        "NaN NaN NaN NaN 0.0106946268 0.0105404768 0.0110766533 0.0109946477 0.0115708596 0.0114080127 0.0117676749 0.0115612083",
    ),
    Row(
        "garch_vt",
        {"min_periods": 3},
        None,
        "P5",
        "NaN NaN NaN NaN 0.0106946268 0.0106946268 0.0106946268 0.0105404768 0.0111553001 0.0109939227 0.0113865135 0.0111866814",
    ),
    Row(
        "kalman_mean",
        {},
        None,
        "P",
        "100 100.990196 100.504806 101.98534 101.2077 102.982427 102.108652 103.981456 103.306682 104.983397 104.40572 105.984368",
    ),
    Row(
        "kalman_garch_zscore",
        {"min_periods": 3},
        None,
        "P",
        "NaN NaN NaN NaN -0.0227444736 0.0334874172 -0.016520598 0.0277751459 -0.010139315 0.0222339699 -0.00794572391 0.0198686158",
    ),
]

WORKED_LOCAL: list[LocalRow] = [
    LocalRow(
        "garch_volatility_local",
        {"idx": 11, "lookback": 8, "min_periods": 3},
        "P",
        {
            "start": 4,
            "sigma": [NAN, NAN, NAN, NAN, 0.00560458363, 0.00761568125, 0.00723078086, 0.0086222024],
        },
    ),
    LocalRow(
        "vol_cluster_series",
        {"feature": "garch_forecast", "idx": 11, "garch_lookback": 8, "min_periods": 3},
        "P",
        {
            "start": 4,
            "values": [NAN, NAN, NAN, NAN, 0.00560458363, 0.00761568125, 0.00723078086, 0.0086222024],
        },
    ),
    LocalRow(
        "vol_cluster_series",
        {"feature": " ATR_Points ", "idx": 5, "atr_length": 3},
        "A",
        {
            "start": 0,
            "values": [
                NAN,
                NAN,
                1.06666667,
                1.07777778,
                1.11851852,
                1.24567901,
                1.43045267,
                1.25363512,
                1.43575674,
                1.25717116,
                1.20478078,
                1.36985385,
            ],
        },
    ),
    LocalRow(
        "kalman_garch_zscore_local",
        {"idx": 11, "lookback": 8, "min_periods": 3, "r": 0.01, "q": 1.0},
        "P",
        0.01710338456274958,
    ),
    LocalRow(
        "kalman_garch_zscore_local",
        {"idx": 11, "lookback": 8, "min_periods": 3, "r": 0.5, "q": 0.1},
        "P",
        1.4182098064041613,
    ),
]

TRUE_RANGE = {
    "A": [0.8, 0.9, 1.5, 1.1, 1.2, 1.5, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7],
    "B": [NAN, 0.9, 1.5, 1.1, 1.2, NAN, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7],
}

LOG_RETURNS = [
    NAN,
    0.995033085,
    -0.496278934,
    1.48150858,
    -0.787405643,
    1.76302314,
    -0.877626306,
    1.8438174,
    -0.675352302,
    1.6322974,
    -0.573067471,
    1.52094187,
]
"""100 ln(P_i / P_(i-1))."""

GOLDEN: list[GoldenRow] = [
    GoldenRow("ema", {"period": 30}, None, 0, "1.104115098 1.096912112 1.099429387 1.10042999"),
    GoldenRow("sma", {"period": 50}, None, 49, "NaN 1.099190989 1.097396741 1.099633039"),
    GoldenRow("rsi", {}, None, 14, "40.22727258 33.34711693 73.7908439 37.90843643"),
    GoldenRow("rsi", {"seed": "first"}, None, 1, "43.24319942 33.36402563 73.7908439 37.90843643"),
    GoldenRow("macd", {}, "line", 0, "-0.000548175377 -0.0018125933 0.001748835673 -0.0004788938326"),
    GoldenRow("macd", {}, "signal", 0, "-2.421611462e-05 -0.001667002778 0.001433515179 4.919212216e-07"),
    GoldenRow("macd", {}, "hist", 0, "-0.0005239592624 -0.0001455905217 0.0003153204939 -0.0004793857538"),
    GoldenRow("roc", {}, None, 14, "-0.4222542086 -0.3860684897 0.4766680381 -0.4016196453"),
    GoldenRow(
        "momentum", {"period": 14}, None, 14, "-0.004673315431 -0.004239774631 0.005234961654 -0.004429616236"
    ),
    GoldenRow("dmi", {}, "plus_di", 14, "10.62950161 8.741292848 24.48115349 9.27661209"),
    GoldenRow("dmi", {}, "minus_di", 14, "21.31965915 24.21385073 6.05622424 21.52761909"),
    GoldenRow("dmi", {}, "adx", 27, "30.54594825 48.52424545 48.12365553 24.22640867"),
    GoldenRow("dmi", {"seed": "first"}, "plus_di", 0, "8.37075233 8.729073547 24.48115349 9.27661209"),
    GoldenRow("dmi", {"seed": "first"}, "minus_di", 0, "21.5670728 24.21564206 6.05622424 21.52761909"),
    GoldenRow("dmi", {"seed": "first"}, "adx", 1, "44.67200756 48.75936373 48.1236557 24.22640867"),
    GoldenRow("bollinger", {}, "upper", 19, "1.108352537 1.100648775 1.104698635 1.104222482"),
    GoldenRow("bollinger", {}, "mid", 19, "1.104940506 1.096092128 1.099916014 1.101160965"),
    GoldenRow("bollinger", {}, "lower", 19, "1.101528474 1.091535482 1.095133393 1.098099448"),
    GoldenRow("bollinger", {"ddof": 0}, "upper", 19, "1.108266143 1.100533398 1.104577537 1.104144963"),
    GoldenRow("bollinger", {"ddof": 0}, "lower", 19, "1.101614869 1.091650859 1.095254491 1.098176967"),
    GoldenRow(
        "rolling_std", {"period": 20}, None, 19, "17.06015876e-4 22.78323187e-4 23.91310625e-4 15.30758537e-4"
    ),
    GoldenRow("atr", {}, None, 13, "0.001446229451 0.00146933741 0.001480264193 0.001458280359"),
    GoldenRow("atr", {"side": "ask"}, None, 13, "0.001446229451 0.00146933741 0.001480264193 0.001458280359"),
    GoldenRow("choppiness", {}, None, 13, "47.78595913 47.80114595 44.82165357 48.34288812"),
    GoldenRow("kalman_mean", {}, None, 0, "1.102077277 1.093944004 1.10346777 1.098504395"),
    GoldenRow(
        "kalman_mean", {"r": 0.5, "q": 0.1}, None, 0, "1.102459476 1.093754338 1.102704354 1.098895534"
    ),
    GoldenRow("kalman_zscore", {}, None, 99, "NaN 1.229831679 1.090311571 0.5888560272"),
    GoldenRow("kalman_zscore", {"r": 0.5, "q": 0.1}, None, 99, "NaN 0.3215335258 1.152103611 -0.6049938461"),
    GoldenRow("zscore", {}, None, 99, "NaN -1.851170725 1.636515752 -0.8888883475"),
    GoldenRow("zscore", {"mode": "rolling_residual"}, None, 198, "NaN NaN 1.504315226 -0.7531921315"),
    GoldenRow(
        "zscore",
        {"mode": "ema_residual", "ema_period": 30},
        None,
        99,
        "NaN -1.256958323 1.560708633 -0.8029772181",
    ),
    GoldenRow("garch_volatility", {}, None, 51, "NaN 7.617973761e-4 4.920131087e-4 7.527058107e-4"),
    GoldenRow(
        "garch_volatility", {"omega": 0.0001}, None, 51, "NaN 8.247922723e-4 5.848306585e-4 8.164043346e-4"
    ),
    GoldenRow("garch_vt", {}, None, 51, "NaN 6.438746721e-4 6.510547825e-4 6.569861163e-4"),
    GoldenRow(
        "garch_vt",
        {"alpha": 0.1, "beta": 0.8, "min_periods": 40},
        None,
        41,
        "NaN 6.286094979e-4 6.383335967e-4 6.741902118e-4",
    ),
    GoldenRow("kalman_garch_zscore", {}, None, 51, "NaN 0.01028865052 0.01424774871 0.004989931469"),
    GoldenRow(
        "kalman_garch_zscore",
        {"r": 0.5, "q": 0.1, "alpha": 0.1, "beta": 0.8},
        None,
        51,
        "NaN 0.2418376796 1.441399899 -0.4235573738",
    ),
    GoldenRow(
        "garch_volatility_local",
        {"lookback": 400},
        None,
        51,
        "NaN 7.617973761e-4 4.920131087e-4 6.026198403e-4",
    ),
    GoldenRow(
        "kalman_garch_zscore_local",
        {"lookback": 400, "r": 0.5, "q": 0.1},
        None,
        51,
        "NaN 0.2378782458 1.420365619 -0.5846264558",
    ),
    GoldenRow("dema", {"period": 20}, None, 0, "1.103504404 1.093491607 1.102522177 1.099875457"),
    GoldenRow("tema", {"period": 20}, None, 0, "1.102540345 1.092612835 1.103816992 1.099153553"),
]

HIGHER: list[HigherRow] = [
    HigherRow(4, "close", {}, None, 3, "1.103354673 1.093542157 1.093076138 1.102692809 1.098508521"),
    HigherRow(
        4, "high", {}, None, 3, "1.105882948 1.095860149 1.094852723 1.103311986 1.100619925", side="ask"
    ),
    HigherRow(4, "volume", {}, None, 3, "11 13 14 14 14"),
    HigherRow(16, "close", {}, None, 15, "1.106944683 1.093542157 1.093542157 1.097988299 1.101298771"),
    HigherRow(96, "close", {}, None, 95, "NaN 1.093542157 1.093542157 1.097988299 1.100431012"),
    HigherRow(
        4,
        "ema_stepwise",
        {"period": 20},
        None,
        3,
        "1.104207074 1.099751912 1.099116124 1.098810344 1.100443307",
    ),
    HigherRow(
        4,
        "ema",
        {"period": 20},
        None,
        3,
        "1.104867655 1.096536994 1.096207389 1.099524998 1.100582111",
        on="raster",
    ),
    HigherRow(4, "bollinger_stepwise", {}, "upper", 79, "NaN 1.107067803 1.106362226 1.104644857 1.10666525"),
    HigherRow(4, "bollinger_stepwise", {}, "mid", 79, "NaN 1.100065247 1.099392023 1.098680322 1.10109756"),
    HigherRow(4, "bollinger_stepwise", {}, "lower", 79, "NaN 1.093062691 1.092421821 1.092715788 1.09552987"),
    HigherRow(
        4,
        "kalman_zscore_stepwise",
        {"window": 20, "r": 0.5, "q": 0.1},
        None,
        79,
        "NaN -1.577471512 -1.191915994 1.514176917 -1.088491797",
    ),
    HigherRow(4, "atr", {}, None, 55, "NaN 0.002495127221 0.002464100246 0.002597577024 0.002565250537"),
    HigherRow(
        16,
        "ema_stepwise",
        {"period": 5},
        None,
        15,
        "1.106944683 1.099116625 1.099116625 1.098082916 1.100692103",
    ),
]


def _constant(price: float) -> list[Degenerate]:
    """Eight bars without any movement."""
    name, bars = f"constant {price}", flat([price] * 8)
    garch = {"min_periods": 2}
    undefined: list[tuple[str, Mapping[str, Any], str | None]] = [
        ("rsi", {"period": 3, "seed": "wilder"}, None),
        ("rsi", {"period": 3, "seed": "first"}, None),
        ("zscore", {"window": 3, "mode": "rolling"}, None),
        ("zscore", {"window": 3, "mode": "rolling_residual"}, None),
        ("zscore", {"window": 3, "mode": "ema_residual", "ema_period": 3}, None),
        ("kalman_zscore", {"window": 3}, None),
        ("choppiness", {"period": 3}, None),
        *(
            ("dmi", {"period": 3, "seed": seed}, output)
            for seed in ("wilder", "first")
            for output in ("plus_di", "minus_di", "adx")
        ),
    ]
    forecasts = {3: 9.51314880e-06, 4: 9.29784921e-06, 5: 9.09972527e-06}
    return [
        *(Degenerate(name, bars, id, params, output=output) for id, params, output in undefined),
        *(
            Degenerate(name, bars, "bollinger", {"period": 3}, 2, price, output=output)
            for output in ("upper", "mid", "lower")
        ),
        Degenerate(name, bars, "rolling_std", {"period": 3}, 2, 0.0),
        Degenerate(name, bars, "atr", {"period": 3}, 2, 0.0),
        Degenerate(name, bars, "garch_volatility", garch, 3, at=forecasts),
        Degenerate(name, bars, "kalman_garch_zscore", garch, 3, 0.0),
        Degenerate(name, bars, "garch_vt", garch, 3, 1e-8, rtol=1e-15),
    ]


def _trend(step: float) -> list[Degenerate]:
    """Thirty bars that all rise, or all fall, by the same amount."""
    name, close = f"trend {step}", [100.0 + step * k for k in range(30)]
    bars = flat(close)
    level = 100.0 if step > 0 else 0.0
    return [
        Degenerate(name, bars, "rsi", {"period": 5, "seed": "wilder"}, 5, level),
        Degenerate(name, bars, "rsi", {"period": 5, "seed": "first"}, 1, level),
        Degenerate(name, bars, "dmi", {"period": 5, "seed": "wilder"}, 9, 100.0, output="adx", rtol=1e-12),
        Degenerate(name, bars, "dmi", {"period": 5, "seed": "first"}, 1, 100.0, output="adx", rtol=1e-12),
    ]


def _one(id: str, values: Sequence[float], **params: Any) -> Degenerate:
    """Period 1 on dataset A."""
    first = next(i for i, x in enumerate(values) if not math.isnan(x))
    return Degenerate("period 1", A, id, {"period": 1, **params}, first, at=dict(enumerate(values)))


_ALTERNATING = [1.1 * math.exp(0.01 * (k % 2)) for k in range(40)]
RSI_OF_ONE = [NAN, 100.0, 100.0, 0.0, 0.0, 100.0, 100.0, 0.0, 100.0, NAN, 0.0, 100.0]
"""rsi with period 1 on dataset A: 100, 0, or undefined where the close stands still."""

DEGENERATE: list[Degenerate] = [
    *_constant(5.0),
    *_constant(0.1),
    *_trend(0.5),
    *_trend(-0.5),
    Degenerate("alternating", flat(_ALTERNATING), "garch_vt", {"min_periods": 5}, 6, 0.01, rtol=1e-12),
    *(_one(id, A["close"]) for id in ("ema", "sma", "dema", "tema")),
    _one("atr", TRUE_RANGE["A"]),
]


def _without(*bars: int) -> dict[str, list[float]]:
    return {name: [NAN if i in bars else x for i, x in enumerate(values)] for name, values in A.items()}


MISSING: dict[str, dict[str, list[float]]] = {
    "first bar": _without(0),
    "last bar": _without(11),
    "two adjacent bars": _without(5, 6),
    "all but one bar": _without(*range(7), *range(8, 12)),
    "all bars": _without(*range(12)),
}
"""Dataset A with missing bars."""
