"""Random descriptions, built from the annotations of the classes: a new key is tried without a word here."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args, get_origin

from hypothesis import strategies as st

from pipegen.description import text
from pipegen.description.model import Pipeline
from pipegen.description.stage_words import StagesFrom
from pipegen.description.words import alternatives, is_literal, words

_PLAIN_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8
) | st.sampled_from(
    [
        "yes",
        "on",
        "null",
        "~",
        "1",
        "1.5",
        "0x1",
        "- a",
        "a: b",
        "# c",
        "two\nlines",
        "'",
        '"',
        "%",
        "1e3",
        "2026-01-02",
        "é",
    ]
)
_KINDS: dict[type[text.Text], st.SearchStrategy[str]] = {
    text.Cron: st.sampled_from(["0 6 * * 1-5", "H H(0-7) * * *", "*/15 * 1,15 * *", "H/10 * * * *"]),
    text.TimeZone: st.sampled_from(["Europe/Paris", "UTC", "America/New_York"]),
    text.Duration: st.sampled_from(["90s", "30m", "2h", "1h30m", "1d", "1d2h3m4s"]),
    text.MailAddress: st.sampled_from(["a@example.com", "first.last+tag@example.org"]),
    text.GitUrl: st.sampled_from(["https://example.com/a.git", "git@example.com:a/b.git", "/srv/git/a.git"]),
    text.Branch: st.sampled_from(["main", "feature/*", "v1.0"]),
    text.Metric: st.sampled_from(["metrics.json:r2", "m/a.json:*.rmse", "a:b.c"]),
    text.Path: st.sampled_from(["a", "a/b.txt", "*/dvc.yaml", "with space"]),
    text.Against: st.sampled_from(["production", "last", "branch:main"]),
    text.WebUrl: st.sampled_from(["https://example.com", "http://localhost:5000/x"]),
    text.MailServer: st.sampled_from(["smtp://mail.example.com", "smtps://mail.example.com:465"]),
    text.Parameter: st.sampled_from(["train.alpha", "conf/a.yaml:b.c"]),
}
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.sampled_from([0.5, -1.25, 1e20]) | _PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=3,
)


def of_type(kind: Any) -> st.SearchStrategy[Any]:
    """Values of one annotation."""
    kinds = alternatives(kind)
    if len(kinds) > 1:
        return st.one_of([of_type(one) for one in kinds])
    origin = get_origin(kind)
    if kind is type(None):
        return st.none()
    if kind is Any:
        return _ANYTHING
    if dataclasses.is_dataclass(kind):
        return of_class(kind)
    if is_literal(kind):
        return st.sampled_from(get_args(kind))
    if origin is list:
        return st.lists(of_type(get_args(kind)[0]), max_size=2)
    if origin is dict:
        key, value = get_args(kind)
        return st.dictionaries(_keys(key), of_type(value), max_size=2)
    if isinstance(kind, type) and issubclass(kind, text.Text):
        by_pattern = st.from_regex(kind.pattern, fullmatch=True).filter(lambda found: len(found) <= 12)
        return _KINDS.get(kind, by_pattern).map(kind)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: _PLAIN_TEXT,
        int: st.integers(-(10**6), 10**6),
        float: st.floats(-1e9, 1e9, allow_nan=False),
        bool: st.booleans(),
    }
    return plain[kind]


def _keys(kind: Any) -> st.SearchStrategy[Any]:
    if kind is str:
        return st.sampled_from(["a", "b.c", "on", "1", "x y"])
    return of_type(kind)


def of_class(cls: Any) -> st.SearchStrategy[Any]:
    """Instances of one class of the description; each key may be left out that may be."""
    fields = {
        w.attribute: of_type(w.type) if w.required else st.just(w.default) | of_type(w.type)
        for w in words(cls).values()
        if w.key != "*"
    }
    rest = words(cls).get("*")
    if rest is not None:
        fields[rest.attribute] = st.dictionaries(
            st.sampled_from(["jenkins", "gocd"]), of_type(get_args(rest.type)[1]), max_size=2
        )
    return st.builds(cls, **fields)


def pipelines() -> st.SearchStrategy[Pipeline]:
    """Whole descriptions by the grammar; what they name need not exist."""
    stages = dict(words(Pipeline))["stages"].type
    inline = next(one for one in alternatives(stages) if one is not StagesFrom)
    few = {
        w.attribute: st.just(w.default) | of_type(w.type)
        for w in words(Pipeline).values()
        if not w.required and w.key not in ("plain",)
    }
    few |= {"stages": of_class(StagesFrom) | of_type(inline), "name": of_type(text.Name)}
    return st.builds(Pipeline, **few)
