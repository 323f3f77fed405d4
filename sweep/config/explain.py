"""What pydantic found, said in our words: code, full key name, file and line, nearest known key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sweep.config.document import Document, Path_, dotted
from sweep.config.problems import Problem, nearest, shown

_NONE: Final[Mapping[Any, Any]] = {}
_TYPES: Final = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a mapping",
    "string_type": "text",
    "tuple_type": "a list",
}


def explain(
    failure: ValidationError, document: Document, schema: Mapping[str, Any], prefix: Path_
) -> list[Problem]:
    """One problem per thing that pydantic refused, in the order of the document's keys.

    `schema` is the JSON Schema of what was validated; `prefix` is put before every key in messages.
    """
    problems = []
    for detail in failure.errors(include_url=False):
        path = _in_tree(detail, document.tree)
        problems.append(_problem(detail, path, document, schema, prefix))
    return list(dict.fromkeys(problems))


def _problem(
    detail: ErrorDetails, path: Path_, document: Document, schema: Mapping[str, Any], prefix: Path_
) -> Problem:
    name = dotted(prefix + path) or "config"
    code, what, remedy = _words(detail, path, name, schema)
    inner = detail.get("ctx", {}).get("key", "") if detail["type"] == "sweep" else ""
    if inner:
        path = (*path, *inner.split("."))
        name = dotted(prefix + path)
    mark = document.mark(path)
    where = str(mark) if name in what else f"{mark}: {name}"
    return Problem(code, what, where, remedy)


def _words(detail: ErrorDetails, path: Path_, name: str, schema: Mapping[str, Any]) -> tuple[int, str, str]:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail.get("input")
    if kind == "sweep":
        return context["code"], context["what"].replace("{path}", name), context["remedy"]
    if kind == "missing":
        return 1008, f"{name} is missing", "add the key"
    if kind == "extra_forbidden":
        return 1001, f"unknown key {name}", _known(str(path[-1]), path[:-1], schema)
    if kind == "literal_error":
        choices = [part.strip().strip("'") for part in context["expected"].replace(" or ", ",").split(",")]
        if isinstance(value, str):
            return 1001, f"{name} cannot be {value!r}", nearest(value, choices)
        return 1004, f"{name} must be one of {', '.join(choices)}, got {shown(value)}", ""
    if kind in _TYPES:
        return 1004, f"{name} must be {_TYPES[kind]}, got {shown(value)}", ""
    if kind.startswith(("greater_than", "less_than", "too_", "string_too_", "finite_number")):
        message = detail["msg"].replace("Input should", "").strip()
        return 1003, f"{name} must {message}, got {shown(value)}", ""
    return 1004, f"{name}: {detail['msg']}, got {shown(value)}", ""


def _in_tree(detail: ErrorDetails, tree: Any) -> Path_:
    """The location without the parts that pydantic adds for unions and tags."""
    path: list[str | int] = []
    node: Any = tree
    location = detail["loc"]
    for index, part in enumerate(location):
        here: Any = node if isinstance(node, Mapping | list) else _NONE
        try:
            node = here[part]
        except (KeyError, IndexError, TypeError):
            if index < len(location) - 1 or detail["type"] != "missing":
                continue
        path.append(part)
    return tuple(path)


def _known(key: str, parent: Path_, schema: Mapping[str, Any]) -> str:
    elsewhere = sorted(
        f"{section}.{key}"
        for section, node in schema.get("properties", {}).items()
        for known in _expand(node, schema)
        if key in known.get("properties", {}) and (section,) != parent
    )
    if elsewhere:
        return f"did you mean {elsewhere[0]}?"
    return nearest(
        key, {name for node in _nodes(schema, schema, parent) for name in node.get("properties", {})}
    )


def _nodes(node: Mapping[str, Any], schema: Mapping[str, Any], path: Path_) -> Iterator[Mapping[str, Any]]:
    """Schemas of what stands at `path`; list indices do not matter, since items are expanded."""
    names = [part for part in path if isinstance(part, str)]
    for known in _expand(node, schema):
        if not names:
            yield known
            continue
        child = known.get("properties", {}).get(names[0], known.get("additionalProperties"))
        if isinstance(child, Mapping):
            yield from _nodes(child, schema, tuple(names[1:]))


def _expand(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The node itself and all that `$ref`, items, anyOf, oneOf and allOf lead to."""
    yield node
    reference = node.get("$ref")
    if reference is not None:
        yield from _expand(schema["$defs"][reference.rsplit("/", 1)[-1]], schema)
    if isinstance(node.get("items"), Mapping):
        yield from _expand(node["items"], schema)
    for word in ("anyOf", "oneOf", "allOf"):
        for child in node.get(word, ()):
            yield from _expand(child, schema)
