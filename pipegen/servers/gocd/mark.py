"""The mark by which we know our pipelines: a parameter, which no job sees and which GoCD keeps as it is.

It names the description that the pipeline is from, and a digest of all the rest, which tells whether somebody edited
the pipeline since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from pipegen.servers.gocd.form import JSON, canonical

PARAMETER = "pipegen"


@dataclass(frozen=True)
class Mark:
    """What the parameter says."""

    origin: str
    """The description: `Deployment.origin`."""
    digest: str


def marked(pipeline: Mapping[str, Any], origin: str) -> JSON:
    """A pipeline, with its group, that carries the mark."""
    plain = bare(pipeline)
    # a single # would be read as the beginning of a parameter's name
    mark = {"name": PARAMETER, "value": f"{_digest(plain)} {quote(origin, safe='/:@.,+=~-_')}"}
    return {**plain, "parameters": [*plain["parameters"], mark]}


def mark_of(pipeline: Mapping[str, Any]) -> Mark | None:
    """The mark of a pipeline; None where we did not make it."""
    for parameter in pipeline.get("parameters") or ():
        if parameter["name"] == PARAMETER:
            digest, _, origin = str(parameter.get("value", "")).partition(" ")
            return Mark(unquote(origin), digest)
    return None


def edited(pipeline: Mapping[str, Any]) -> bool:
    """Whether a pipeline with a mark is no longer as it was deployed."""
    mark = mark_of(pipeline)
    return mark is not None and mark.digest != _digest(bare(pipeline))


def bare(pipeline: Mapping[str, Any]) -> JSON:
    """A pipeline without its mark."""
    parameters = [p for p in pipeline.get("parameters") or () if p["name"] != PARAMETER]
    return {**pipeline, "parameters": parameters}


def _digest(plain: Mapping[str, Any]) -> str:
    text = json.dumps(canonical(plain), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
