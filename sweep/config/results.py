"""`objective` and `constraints`: what is sought, and what a result must satisfy."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Tag, model_validator

from sweep.config.base import Name, Section, as_tuple, given_keys
from sweep.config.problems import invalid


def _one_of(metric: str | None, expr: str | None) -> None:
    if (metric is None) == (expr is None):
        what = "{path} has neither metric nor expr" if metric is None else "{path} has both metric and expr"
        raise invalid(
            1008 if metric is None else 1006, what, "name a metric of the catalogue, or an expression"
        )


class ObjectiveConfig(Section):
    """A metric or an expression over metrics, with its direction."""

    metric: Name | None = None
    expr: Name | None = None
    direction: Literal["maximize", "minimize"]
    name: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> ObjectiveConfig:
        _one_of(self.metric, self.expr)
        return self


class ConstraintConfig(Section):
    """A condition on results in its long form."""

    metric: Name | None = None
    expr: Name | None = None
    op: Literal["<", "<=", ">", ">=", "==", "!="]
    value: float

    @model_validator(mode="after")
    def _check(self) -> ConstraintConfig:
        _one_of(self.metric, self.expr)
        return self


_MOST: Final = 3


def _up_to_three(objectives: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(objectives) > _MOST:
        remedy = f"name at most {_MOST}; make constraints of the others"
        raise invalid(1003, f"{{path}} lists {len(objectives)}", remedy)
    if not objectives:
        raise invalid(1008, "{path} is empty", "name a metric and a direction")
    return objectives


def _form(value: Any) -> str:
    return "mapping" if isinstance(value, dict) else "text"


DEFAULT_OBJECTIVE = ObjectiveConfig(metric="t_stat_r", direction="maximize")

Objectives = Annotated[tuple[ObjectiveConfig, ...], BeforeValidator(as_tuple), AfterValidator(_up_to_three)]
"""One objective, or a list of up to three."""
Constraint = Annotated[
    Annotated[Name, Tag("text")] | Annotated[dict[str, Any], given_keys(ConstraintConfig), Tag("mapping")],
    Discriminator(_form),
]
Constraints = Annotated[tuple[Constraint, ...], BeforeValidator(as_tuple)]
