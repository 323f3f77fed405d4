"""Exceptions with codes: one table for Rust and Python (the public error catalogue).

SweepError
├── SweepValidationError   1xxx  (also ValueError)
├── SweepComputationError  2xxx  (also RuntimeError)
├── SweepIOError           3xxx  (also OSError and ValueError)
├── SweepInternalError     4xxx  (also RuntimeError)
│   └── SweepNotBuiltError 4001  (also AttributeError)
├── SweepFfiError          5xxx  (also RuntimeError)
└── SweepResourceError     6xxx  (also RuntimeError)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

Stage = Literal["config", "data", "engine", "infrastructure"]

NAMES: Final[dict[int, str]] = {
    0: "OK",
    1000: "VALIDATION_FAILED",
    1001: "INVALID_ARGUMENT",
    1002: "NULL_POINTER",
    1003: "OUT_OF_BOUNDS",
    1004: "TYPE_MISMATCH",
    1005: "SCHEMA_VIOLATION",
    1006: "CONSTRAINT_VIOLATION",
    1007: "INVALID_STATE",
    1008: "MISSING_REQUIRED_FIELD",
    1009: "INVALID_FORMAT",
    1010: "EMPTY_INPUT",
    1011: "SIZE_MISMATCH",
    1012: "STUDY_MISMATCH",
    2000: "COMPUTATION_FAILED",
    2001: "DIVISION_BY_ZERO",
    2002: "OVERFLOW",
    2003: "UNDERFLOW",
    2004: "NAN_RESULT",
    2005: "INF_RESULT",
    2006: "CONVERGENCE_FAILED",
    2007: "NUMERICAL_INSTABILITY",
    2008: "INSUFFICIENT_DATA",
    3000: "IO_ERROR",
    3001: "FILE_NOT_FOUND",
    3002: "PERMISSION_DENIED",
    3003: "SERIALIZATION_FAILED",
    3004: "DESERIALIZATION_FAILED",
    3005: "NETWORK_ERROR",
    3006: "TIMEOUT",
    3007: "DISK_FULL",
    3008: "DATA_MISMATCH",
    4000: "INTERNAL_ERROR",
    4001: "NOT_IMPLEMENTED",
    4002: "ASSERTION_FAILED",
    4003: "UNREACHABLE",
    4004: "INVARIANT_VIOLATED",
    4005: "VERSION_MISMATCH",
    5000: "FFI_ERROR",
    5001: "FFI_TYPE_CONVERSION",
    5002: "FFI_BUFFER_OVERFLOW",
    5003: "FFI_MEMORY_ERROR",
    5004: "FFI_SCHEMA_MISMATCH",
    5005: "FFI_PANIC_CAUGHT",
    6000: "RESOURCE_ERROR",
    6001: "OUT_OF_MEMORY",
    6002: "RESOURCE_EXHAUSTED",
    6003: "RESOURCE_BUSY",
    6004: "RESOURCE_LIMIT_EXCEEDED",
}

_CATEGORIES: Final = {1: "VALIDATION", 2: "COMPUTATION", 3: "IO", 4: "INTERNAL", 5: "FFI", 6: "RESOURCE"}
_EXIT_CODES: Final[dict[str, int]] = {"config": 2, "data": 3, "engine": 4, "infrastructure": 5}
_RECOVERABLE: Final = frozenset({0, 2008, 6003, 6004})


class SweepError(Exception):
    """Base of everything that sweep raises: `[code] what; where; what to do`.

    `stage` says where the error arose and decides the exit code of a command, not the number alone. `context` has the
    details for machines: `where`, and what the kind of error adds (`problems`, `defects`, `pair`, `position_id` …).
    """

    def __init__(
        self,
        code: int,
        what: str,
        *,
        where: str = "",
        remedy: str = "",
        stage: Stage = "config",
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.what = what
        self.where = where
        self.remedy = remedy
        self.stage: Stage = stage
        self.context: dict[str, Any] = {**(context or {}), **({"where": where} if where else {})}
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One readable line."""
        return f"[{self.code}] " + "; ".join(part for part in (self.what, self.where, self.remedy) if part)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.code, self.what, self.where, self.remedy, self.stage, self.context)

    @property
    def name(self) -> str:
        """Symbolic name of the code, `UNKNOWN` if it has none."""
        return NAMES.get(self.code, "UNKNOWN")

    @property
    def category(self) -> str:
        """VALIDATION, COMPUTATION, IO, INTERNAL, FFI, RESOURCE or UNKNOWN."""
        return category(self.code)

    @property
    def recoverable(self) -> bool:
        """Whether the caller can mend the input and go on."""
        return self.code in _RECOVERABLE or self.code // 1000 in (1, 3)

    def to_dict(self) -> dict[str, Any]:
        """Form for machines: ok, error_code, message, context, category."""
        return {
            "ok": False,
            "error_code": self.code,
            "message": self.message,
            "context": self.context,
            "category": self.category,
        }


class SweepValidationError(SweepError, ValueError):
    """Input that breaks a rule (1xxx)."""


class SweepComputationError(SweepError, RuntimeError):
    """A computation without a usable result (2xxx)."""


class SweepIOError(SweepError, OSError, ValueError):
    """A file or a network peer that cannot be used (3xxx)."""


class SweepInternalError(SweepError, RuntimeError):
    """A missing feature, a version conflict or a bug (4xxx)."""


class SweepNotBuiltError(SweepInternalError, AttributeError):
    """[4001] for a public name that this version lacks; `hasattr` is False."""

    @property
    def name(self) -> str:
        """Symbolic name of the code."""
        return NAMES[self.code]

    @name.setter
    def name(self, value: str) -> None:
        """Python notes the attribute here on its way; the message has it."""


class SweepFfiError(SweepError, RuntimeError):
    """The boundary to the native module (5xxx)."""


class SweepResourceError(SweepError, RuntimeError):
    """Memory, locks, limits (6xxx)."""


_CLASSES: Final[dict[int, type[SweepError]]] = {
    1: SweepValidationError,
    2: SweepComputationError,
    3: SweepIOError,
    4: SweepInternalError,
    5: SweepFfiError,
    6: SweepResourceError,
}


def category(code: int) -> str:
    """Category of a code; an unknown code has category UNKNOWN."""
    return "OK" if code == 0 else _CATEGORIES[code // 1000] if code in NAMES else "UNKNOWN"


def error(
    code: int,
    what: str,
    *,
    where: str = "",
    remedy: str = "",
    stage: Stage = "config",
    context: Mapping[str, Any] | None = None,
) -> SweepError:
    """The exception of the class that belongs to `code`."""
    cls = _CLASSES.get(code // 1000, SweepError)
    return cls(code, what, where=where, remedy=remedy, stage=stage, context=context)


def not_built(feature: str, *, where: str = "", remedy: str = "leave it out") -> SweepError:
    """[4001] for a key or feature of the interface that this build lacks."""
    return error(4001, f"{feature} is not built in this version", where=where, remedy=remedy)


def not_built_name(name: str) -> SweepNotBuiltError:
    """[4001] for a name of the Python interface that this build lacks."""
    return SweepNotBuiltError(4001, f"{name} is not built in this version", remedy="leave it out")


def exit_code(problem: SweepError) -> int:
    """Exit code of a command that ends with this error."""
    return _EXIT_CODES[problem.stage]


def _rebuild(
    code: int, what: str, where: str, remedy: str, stage: Stage, context: dict[str, Any]
) -> SweepError:
    return error(code, what, where=where, remedy=remedy, stage=stage, context=context)
