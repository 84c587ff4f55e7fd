"""The words that DVC knows in a `dvc.yaml`: it refuses a file with any other (`dvc/schema.py`)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pipegen.dvc.yaml12 import Document
from pipegen.dvc.yaml12 import Path as At
from pipegen.errors import Problem

TOP = ("stages", "vars", "params", "metrics", "plots", "artifacts", "datasets")
STAGE = (
    *("cmd", "wdir", "deps", "params", "outs", "metrics", "plots"),
    *("frozen", "always_changed", "meta", "desc", "vars", "matrix"),
)
TEMPLATE = ("foreach", "do")


def unknown_words(content: Mapping[str, Any], document: Document) -> list[Problem]:
    """Each key of a file that DVC would refuse, with the nearest word that it knows."""
    return list(_all_unknown(content, document))


def _all_unknown(content: Mapping[str, Any], document: Document) -> Iterator[Problem]:
    yield from _unknown(content, TOP, (), document)
    stages = content.get("stages")
    for name, stage in stages.items() if isinstance(stages, Mapping) else ():
        if not isinstance(stage, Mapping):
            continue
        if "foreach" in stage or "do" in stage:
            yield from _unknown(stage, TEMPLATE, ("stages", name), document)
            if isinstance(stage.get("do"), Mapping):
                yield from _unknown(stage["do"], STAGE, ("stages", name, "do"), document)
        else:
            yield from _unknown(stage, (*STAGE, *TEMPLATE), ("stages", name), document)


def _unknown(
    given: Mapping[Any, Any], known: Collection[str], at: At, document: Document
) -> Iterator[Problem]:
    for word in given:
        if word not in known:
            near = difflib.get_close_matches(str(word), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"DVC knows {', '.join(known)}"
            yield document.problem((*at, word), f"DVC does not know the word {word!r} here", hint, key=True)
