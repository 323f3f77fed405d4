"""Search space: dimensions, snapping, pins, conditions, constraints, size.

Reading order: values, dimension, parse, build, evaluate, space; then knowledge and cardinality.
"""

from __future__ import annotations

from sweep.space.cardinality import Cardinality
from sweep.space.dimension import Coordinate, Dimension
from sweep.space.draws import Point
from sweep.space.evaluate import INACTIVE, Candidate, Evaluation
from sweep.space.permutation import Permutation
from sweep.space.space import Space

__all__ = [
    "INACTIVE",
    "Candidate",
    "Cardinality",
    "Coordinate",
    "Dimension",
    "Evaluation",
    "Permutation",
    "Point",
    "Space",
]
