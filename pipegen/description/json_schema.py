"""The grammar for editors: JSON Schema, draft 2020-12, generated from the classes of `model` and the words
of the targets.

It takes whatever reading takes. It refuses less: what needs two values or a calendar (`checks`, cron, time
zones) has no words there.
"""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_origin

from pipegen.description.grammar import Extra, summary
from pipegen.description.model import Pipeline
from pipegen.description.stage_words import Foreach, Stage
from pipegen.description.text import Text
from pipegen.description.words import Word, alternatives, is_literal, words
from pipegen.description.writing import to_data

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_INTERPOLATED: Schema = {"type": "string", "pattern": r"\$\{"}


def schema(extra: Extra | None = None) -> Schema:
    """JSON Schema of a description; `extra` are the words of the targets, as in `grammar.table`."""
    builder = _Builder(extra or {})
    root = builder.reference(Pipeline, "", interpolated=False)
    title = "pipegen.yaml"
    return {"$schema": DIALECT, "title": title, **root, "$defs": dict(sorted(builder.definitions.items()))}


class _Builder:
    def __init__(self, extra: Extra) -> None:
        self.extra = extra
        self.definitions: dict[str, Schema] = {}

    def reference(self, cls: Any, place: str, *, interpolated: bool) -> Schema:
        """A reference to the definition of a class, which is made on first use.

        A class of one place has words of the targets by that place; inside a stage, `${…}` stands for any
        plain value.
        """
        interpolated = interpolated or cls is Stage
        name = _definition_name(cls, inside_stage=interpolated and cls is not Stage)
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self._object(cls, place, interpolated)
        return {"$ref": f"#/$defs/{name}"}

    def _object(self, cls: Any, place: str, interpolated: bool) -> Schema:
        known = words(cls)
        properties = {
            key: self._property(w, f"{place}.{key}".lstrip("."), interpolated)
            for key, w in known.items()
            if key != "*"
        }
        found: Schema = {"type": "object", "description": summary(cls), "properties": properties}
        required = [w.key for w in known.values() if w.required]
        if required:
            found["required"] = required
        rest = known.get("*")
        if rest is None:
            return {**found, "additionalProperties": False}
        return {**found, **self._map(rest.type, place, interpolated, properties)}

    def _property(self, word: Word, place: str, interpolated: bool) -> Schema:
        found = self.of_type(word.type, place, interpolated)
        found = {"description": word.meaning, **found}
        default = None if word.required else to_data(word.default)
        return {**found, "default": default} if default is not None else found

    def of_type(self, kind: Any, place: str, interpolated: bool) -> Schema:
        """The schema of a value that reading takes for `kind`."""
        kinds = alternatives(kind)
        if Stage in kinds and Foreach in kinds:
            loop = {"anyOf": [{"required": ["foreach"]}, {"required": ["do"]}]}
            stage, foreach = (
                self.reference(cls, place, interpolated=interpolated) for cls in (Stage, Foreach)
            )
            return {"if": loop, "then": foreach, "else": stage}
        choices = [self._one(one, place, interpolated) for one in kinds]
        if interpolated and Any not in kinds and str not in kinds:
            choices.append(_INTERPOLATED)
        return choices[0] if len(choices) == 1 else {"anyOf": choices}

    def _one(self, kind: Any, place: str, interpolated: bool) -> Schema:
        origin = get_origin(kind)
        if kind is type(None):
            return {"type": "null"}
        if dataclasses.is_dataclass(kind):
            return self.reference(kind, place, interpolated=interpolated)
        if origin is list:
            return {"type": "array", "items": self.of_type(get_args(kind)[0], place, interpolated)}
        if origin is dict:
            return {"type": "object", **self._map(kind, place, interpolated, {})}
        if is_literal(kind):
            return {"enum": list(get_args(kind))}
        if isinstance(kind, type) and issubclass(kind, Text):
            return self._text(kind)
        plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
        return {"type": plain[kind]} if kind in plain else {}

    def _map(self, kind: Any, place: str, interpolated: bool, properties: Schema) -> Schema:
        key, value = get_args(kind)
        servers = {
            at.rpartition(".")[2]: words for at, words in self.extra.items() if at.rpartition(".")[0] == place
        }
        found: Schema = {"additionalProperties": self.of_type(value, f"{place}.*", interpolated)}
        if servers:
            typed = {
                name: self.of_type(words, f"{place}.{name}", interpolated) for name, words in servers.items()
            }
            found["properties"] = {**properties, **typed}
        if is_literal(key):
            found["propertyNames"] = {"enum": list(get_args(key))}
        elif isinstance(key, type) and issubclass(key, Text) and key.pattern:
            found["propertyNames"] = {"pattern": _anchored(key.pattern)}
        return found

    def _text(self, kind: type[Text]) -> Schema:
        definition: Schema = {"type": "string", "description": kind.form}
        if kind.pattern:
            definition["pattern"] = _anchored(kind.pattern)
        self.definitions.setdefault(kind.__name__, definition)
        return {"$ref": f"#/$defs/{kind.__name__}"}


def _definition_name(cls: Any, *, inside_stage: bool) -> str:
    home = cls.__module__.split(".")
    owner = home[2] if home[:2] == ["pipegen", "targets"] else ""
    return f"{owner}{cls.__name__}{'InStage' if inside_stage else ''}"


def _anchored(pattern: str) -> str:
    return f"^(?:{pattern})$"
