"""Worked values of indicators: datasets A and B (nine significant digits), golden dataset G (ten)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One series on dataset A or B; `output` names one of several."""

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


GOLDEN_BARS = (30, 100, 300, 599)

WORKED = [
    Row(
        "ema",
        {"period": 3},
        None,
        "A",
        "10 10.25 10.875 10.9375 10.56875 10.884375 11.7421875 11.9210938 12.6605469 13.0302734 12.8651367 13.4325684",
    ),
    Row(
        "ema",
        {"period": 3},
        None,
        "B",
        "NaN 10.5 11 11 10.6 10.6 11.9333333 12.0166667 12.7083333 13.0541667 12.8770833 13.4385417",
    ),
    Row(
        "ema",
        {"period": 4},
        None,
        "A",
        "10 10.2 10.72 10.832 10.5792 10.82752 11.536512 11.7619072 12.4171443 12.8102866 12.766172 13.2597032",
    ),
    Row(
        "ema",
        {"period": 4},
        None,
        "B",
        "NaN 10.5 10.9 10.94 10.644 10.644 11.6734737 11.8440842 12.4664505 12.8398703 12.7839222 13.2703533",
    ),
    Row(
        "sma",
        {"period": 3},
        None,
        "A",
        "NaN NaN 10.6666667 11 10.9 10.8 11.3333333 11.9666667 12.7 12.9666667 13.1666667 13.3666667",
    ),
    Row(
        "sma",
        {"period": 3},
        None,
        "B",
        "NaN NaN NaN 11 10.9 NaN NaN NaN 12.7 12.9666667 13.1666667 13.3666667",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "plus_di",
        "A",
        "NaN NaN NaN 37.037037 22.2222222 26.984127 46.6845878 35.1908139 43.8422688 35.9334144 24.9020584 34.1142834",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "plus_di",
        "B",
        "NaN NaN NaN NaN 25 25 25 17.1206226 35.8 29.2048369 19.6039847 31.4779271",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "minus_di",
        "A",
        "NaN NaN NaN 0 26.6666667 15.2380952 8.60215054 6.48429585 3.72960373 2.82841675 18.7052563 10.9280818",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "minus_di",
        "B",
        "NaN NaN NaN NaN 27.2727273 27.2727273 27.2727273 18.6770428 9.6 7.03554416 22.6540401 12.856395",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "adx",
        "A",
        "NaN NaN NaN NaN NaN 45.6368193 53.3851081 58.5506339 67.1404662 73.229036 53.5561789 52.8629293",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "wilder"},
        "adx",
        "B",
        "NaN NaN NaN NaN NaN NaN NaN NaN 22.1349678 35.1476125 25.83764 31.225933",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "plus_di",
        "A",
        "0 16 43.1578947 28.3737024 18.1818182 24.2795628 44.4199001 33.7776155 42.8847625 35.2986604 24.5518909 33.8642858",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "plus_di",
        "B",
        "NaN 0 33.3333333 22.2222222 14.379085 9.58605664 5.10398542 3.87512778 25.5487983 22.0942328 15.3574091 28.485709",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "minus_di",
        "A",
        "0 0 0 0 23.9467849 14.309374 8.29811756 6.31002374 3.6712841 2.79474853 18.5503863 10.8750391",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "minus_di",
        "B",
        "NaN 0 0 0 23.5294118 15.6862745 8.35197614 6.34111819 3.6817883 2.8008315 18.5784513 10.8846785",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "adx",
        "A",
        "NaN 100 100 100 71.2280702 56.0976834 60.2380742 62.9983348 70.0750699 75.1590018 54.7472909 53.626486",
    ),
    Row(
        "dmi",
        {"period": 3, "seed": "first"},
        "adx",
        "B",
        "NaN NaN 100 100 74.7126437 57.8544061 46.6155811 39.1230311 51.0182406 59.8451275 43.0606047 43.6091588",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "upper",
        "A",
        "NaN NaN 12.1941919 12 12.2114877 11.8583005 13.7444188 13.3855864 14.0114877 14.4677774 13.974957 14.6679481",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "upper",
        "B",
        "NaN NaN NaN 12 12.2114877 NaN NaN NaN 14.0114877 14.4677774 13.974957 14.6679481",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "mid",
        "A",
        "NaN NaN 10.6666667 11 10.9 10.8 11.3333333 11.9666667 12.7 12.9666667 13.1666667 13.3666667",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "mid",
        "B",
        "NaN NaN NaN 11 10.9 NaN NaN NaN 12.7 12.9666667 13.1666667 13.3666667",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "lower",
        "A",
        "NaN NaN 9.13914144 10 9.5885123 9.74169948 8.92224782 10.5477469 11.3885123 11.465556 12.3583763 12.0653852",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0},
        "lower",
        "B",
        "NaN NaN NaN 10 9.5885123 NaN NaN NaN 11.3885123 11.465556 12.3583763 12.0653852",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "upper",
        "A",
        "NaN NaN 11.9138858 11.8164966 11.9708252 11.6640988 13.3019764 13.1252098 13.7708252 14.1923184 13.826633 14.4291585",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "upper",
        "B",
        "NaN NaN NaN 11.8164966 11.9708252 NaN NaN NaN 13.7708252 14.1923184 13.826633 14.4291585",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "lower",
        "A",
        "NaN NaN 9.41944754 10.1835034 9.82917477 9.93590124 9.36469026 10.8081235 11.6291748 11.7410149 12.5067003 12.3041748",
    ),
    Row(
        "bollinger",
        {"period": 3, "std_factor": 2.0, "ddof": 0},
        "lower",
        "B",
        "NaN NaN NaN 10.1835034 9.82917477 NaN NaN NaN 11.6291748 11.7410149 12.5067003 12.3041748",
    ),
    Row(
        "rolling_std",
        {"period": 3},
        None,
        "A",
        "NaN NaN 0.763762616 0.5 0.655743852 0.529150262 1.20554275 0.709459888 0.655743852 0.75055535 0.404145188 0.65064071",
    ),
    Row(
        "rolling_std",
        {"period": 3},
        None,
        "B",
        "NaN NaN NaN 0.5 0.655743852 NaN NaN NaN 0.655743852 0.75055535 0.404145188 0.65064071",
    ),
    Row(
        "rolling_std",
        {"period": 3, "ddof": 0},
        None,
        "A",
        "NaN NaN 0.623609564 0.40824829 0.535412613 0.43204938 0.984321537 0.579271573 0.535412613 0.612825877 0.329983165 0.531245915",
    ),
    Row(
        "rolling_std",
        {"period": 3, "ddof": 0},
        None,
        "B",
        "NaN NaN NaN 0.40824829 0.535412613 NaN NaN NaN 0.535412613 0.612825877 0.329983165 0.531245915",
    ),
    Row(
        "atr",
        {"period": 3},
        None,
        "A",
        "NaN NaN 1.06666667 1.07777778 1.11851852 1.24567901 1.43045267 1.25363512 1.43575674 1.25717116 1.20478078 1.36985385",
    ),
    Row(
        "atr",
        {"period": 3},
        None,
        "B",
        "NaN NaN NaN 1.16666667 1.17777778 1.17777778 1.38518519 1.22345679 1.41563786 1.24375857 1.19583905 1.3638927",
    ),
    Row(
        "kalman_mean",
        {"r": 0.01, "q": 1.0},
        None,
        "A",
        "10 10.495098 11.4901471 11.0048058 10.207891 11.1902725 12.5861778 12.1047669 13.3873004 13.3998755 12.7068622 13.987321",
    ),
    Row(
        "kalman_mean",
        {"r": 0.01, "q": 1.0},
        None,
        "B",
        "NaN 10.5 11.4901961 11.0048063 10.207891 10.207891 12.5881573 12.1047861 13.3873006 13.3998755 12.7068622 13.987321",
    ),
    Row(
        "kalman_mean",
        {"r": 0.5, "q": 0.1},
        None,
        "A",
        "10 10.2727273 10.796875 10.8751601 10.6258601 10.83413 11.4700248 11.6961964 12.3071293 12.6987991 12.6992294 13.1652687",
    ),
    Row(
        "kalman_mean",
        {"r": 0.5, "q": 0.1},
        None,
        "B",
        "NaN 10.5 11.0454545 11.0260417 10.7076825 10.7076825 11.5401176 11.758588 12.3678002 12.7430297 12.7275209 13.1845274",
    ),
    Row(
        "kalman_zscore",
        {"window": 4, "r": 0.01, "q": 1.0},
        None,
        "A",
        "NaN NaN NaN -0.761585164 -0.953625256 1.03456192 1.29533367 -0.447108838 1.47664555 0.0134954093 -0.78244041 1.30711468",
    ),
    Row(
        "kalman_zscore",
        {"window": 4, "r": 0.01, "q": 1.0},
        None,
        "B",
        "NaN NaN NaN NaN -1.02044887 NaN NaN NaN NaN 0.0143575262 -0.782118589 1.30712165",
    ),
    Row(
        "kalman_zscore",
        {"window": 4, "r": 0.5, "q": 0.1},
        None,
        "A",
        "NaN NaN NaN 0.406289992 -0.919181684 0.769760245 1.75002864 0.635273264 2.60174062 2.03181705 0.00166764152 1.78757692",
    ),
    Row(
        "kalman_zscore",
        {"window": 4, "r": 0.5, "q": 0.1},
        None,
        "B",
        "NaN NaN NaN NaN -1.29164994 NaN NaN NaN NaN 1.92556858 -0.0609671568 1.78125196",
    ),
    Row(
        "zscore",
        {"window": 4},
        None,
        "A",
        "NaN NaN NaN 0.387298335 -1.04978132 0.404656188 1.35225564 0.544337406 1.1665732 0.820746766 -0.318896402 1.17590109",
    ),
    Row(
        "zscore",
        {"window": 4},
        None,
        "B",
        "NaN NaN NaN NaN -1.04978132 NaN NaN NaN NaN 0.820746766 -0.318896402 1.17590109",
    ),
    Row(
        "zscore",
        {"window": 3, "mode": "rolling_residual"},
        None,
        "A",
        "NaN NaN NaN NaN -0.911894995 0.718421208 1.28512413 0.22501758 1.23529412 1.52853051 -0.763384047 1.08087224",
    ),
    Row(
        "zscore",
        {"window": 3, "mode": "rolling_residual"},
        None,
        "B",
        "NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN -0.763384047 1.08087224",
    ),
    Row(
        "zscore",
        {"window": 4, "mode": "ema_residual", "ema_period": 3},
        None,
        "A",
        "NaN NaN NaN 0.222222222 -0.892480777 0.75126167 1.67444793 0.355081473 2.2628443 1.16894748 -0.437451459 1.44657829",
    ),
    Row(
        "zscore",
        {"window": 4, "mode": "ema_residual", "ema_period": 3},
        None,
        "B",
        "NaN NaN NaN NaN -1.08531752 NaN NaN NaN NaN 1.19655891 -0.476899467 1.46745281",
    ),
]

TRUE_RANGE = {
    "A": [0.8, 0.9, 1.5, 1.1, 1.2, 1.5, 1.8, 0.9, 1.8, 0.9, 1.1, 1.7],
    "B": [float("nan"), 0.9, 1.5, 1.1, 1.2, float("nan"), 1.8, 0.9, 1.8, 0.9, 1.1, 1.7],
}

GOLDEN = [
    GoldenRow("ema", {"period": 30}, None, 0, "1.104115098 1.096912112 1.099429387 1.10042999"),
    GoldenRow("sma", {"period": 50}, None, 49, "NaN 1.099190989 1.097396741 1.099633039"),
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
        "rolling_std", {"period": 20}, None, 19, "0.001706015876 0.002278323187 0.002391310625 0.001530758537"
    ),
    GoldenRow("atr", {}, None, 13, "0.001446229451 0.00146933741 0.001480264193 0.001458280359"),
    GoldenRow("atr", {"side": "ask"}, None, 13, "0.001446229451 0.00146933741 0.001480264193 0.001458280359"),
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
]
