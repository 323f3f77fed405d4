"""JSON Schema of the config, for editors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sweep.config.model import Config


def json_schema(strategies: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a config file, every key of it described.

    Stricter than the reader in nothing: null stands for the default of a key, a study may take its file's name. With
    the declarations of `strategies` it knows their names and parameters too.
    """
    schema = Config.model_json_schema(by_alias=True)
    _accept_null(schema)
    for definition in schema["$defs"].values():
        _accept_null(definition)
    schema["required"] = [key for key in schema["required"] if key != "study"]
    schema["properties"]["execution"] = _or_word(
        schema["properties"]["execution"], ["realistic", "reference"]
    )
    search = schema["$defs"]["SearchConfig"]["properties"]
    search["pruner"] = _or_word(search["pruner"], ["none", "halving", "hyperband"])
    search["early_stop"] = _or_word(search["early_stop"], ["off"])
    for key in ("symbol_specs", "costs"):
        schema["properties"][key] = _or_file(schema["properties"][key])
    objective = schema["properties"]["objective"]
    schema["properties"]["objective"] = {"anyOf": [objective, {"$ref": "#/$defs/ObjectiveConfig"}]}
    for owner, key in ((schema, "constraints"), (schema["$defs"]["SearchConfig"], "where")):
        owner["properties"][key] = _or_text(owner["properties"][key])
    if strategies:
        _declare(schema["$defs"]["StrategyConfig"], strategies)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "sweep config", **schema}


def _declare(owner: dict[str, Any], strategies: Sequence[Mapping[str, Any]]) -> None:
    """Adds names, and per strategy the parameters with what they mean."""
    owner["properties"]["name"] = {"enum": [item["id"] for item in strategies]}
    owner["oneOf"] = [{"required": [kind]} for kind in ("name", "signals", "python")]
    owner["allOf"] = [
        {
            "if": {"properties": {"name": {"const": item["id"]}}},
            "then": {
                "properties": {
                    "params": {"propertyNames": {"type": "string"}, "properties": _parameters(item)}
                }
            },
        }
        for item in strategies
    ]


def _parameters(item: Mapping[str, Any]) -> dict[str, Any]:
    return {p["name"]: {"description": p["doc"], "default": p["default"]} for p in item["parameters"]}


@cache
def plain_schema() -> dict[str, Any]:
    """The schema as the models give it; the source of suggestions."""
    return Config.model_json_schema(by_alias=True)


def _accept_null(owner: dict[str, Any]) -> None:
    required = set(owner.get("required", ()))
    for key, node in owner.get("properties", {}).items():
        if key not in required and not _takes_null(node):
            owner["properties"][key] = {"anyOf": [node, {"type": "null"}]}


def _takes_null(node: dict[str, Any]) -> bool:
    return (
        node.get("type") == "null"
        or None in node.get("enum", ())
        or any(_takes_null(child) for child in node.get("anyOf", ()))
    )


def _or_word(node: dict[str, Any], words: list[str]) -> dict[str, Any]:
    return {"anyOf": [node, {"enum": words}]}


def _or_file(node: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [node, {"type": "string", "description": "path of a YAML file with these keys"}]}


def _or_text(node: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [node, {"type": "string"}]}
