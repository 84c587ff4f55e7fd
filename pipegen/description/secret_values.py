"""What looks like a secret value is refused, wherever it stands: a description is committed, read and
mailed around.

Known forms (key ids, tokens, private keys, passwords in URLs) are found in any text; text without a known
form only where its key,
variable or option is named like a secret. No message ever shows the value.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from pipegen.description.source import Source, dotted
from pipegen.dvc.yaml12 import Path
from pipegen.errors import Problem

MASK = "****"
_LEAST_TOKEN = 16
_LEAST_BITS = 3.3
"""Bits per character (Shannon) from which text is taken for random; words of a language and hexadecimal lie
on its two sides."""

_Form = tuple[str, tuple[str, ...], str]
_FORMS: tuple[_Form, ...] = (
    ("a private key", ("PRIVATE KEY",), r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*"),
    ("an AWS access key id", ("AKIA", "ASIA", "ABIA", "ACCA"), r"\bA(?:KI|SI|BI|CC)A[A-Z0-9]{16}\b"),
    ("a GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
    ("a GitHub token", ("github_pat_",), r"\bgithub_pat_[A-Za-z0-9_]{22,}"),
    ("a GitLab token", ("gl",), r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[A-Za-z0-9_\-]{20,}"),
    ("a Slack token", ("xox", "xapp-"), r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9\-]{10,}"),
    (
        "a Slack webhook",
        ("hooks.slack.com/",),
        r"hooks\.slack\.com/services/[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]+",
    ),
    ("a Google API key", ("AIza",), r"\bAIza[0-9A-Za-z_\-]{35}"),
    ("a Hugging Face token", ("hf_",), r"\bhf_[A-Za-z0-9]{30,}"),
    ("a PyPI token", ("pypi-AgE",), r"\bpypi-AgE[A-Za-z0-9_\-]{40,}"),
    ("an Azure storage key", ("AccountKey=",), r"(?<=AccountKey=)[A-Za-z0-9+/=]{40,}"),
    ("a JSON web token", (".eyJ",), r"\beyJ[A-Za-z0-9_\-]{8,}\.eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"),
    ("a password in a URL", ("@",), r"(?<=://)[^/\s:@]*:(?P<value>(?![$%{])[^/\s@]+)@"),
)
"""Kind, the texts one of which it always has, and its form. Text without those costs no regular expression."""
_GIVEN = (
    r"(?:^|[\s;&|(\"'])(?:--?)?(?P<name>[A-Za-z][\w\-]*)=[\"']?(?P<value>[^\s\"';&|]+)"
    r"|(?:^|\s)--(?P<option>[A-Za-z][\w\-]*)\s+[\"']?(?P<argument>[^\s\"';&|\-][^\s\"';&|]*)"
)
"""A variable or an option that a command line gives: `NAME=VALUE`, `--name=VALUE`, `--name VALUE`."""
_SECRET_WORDS = {"TOKEN", "SECRET", "KEY", "APIKEY", "CREDENTIAL", "CREDENTIALS", "AUTH"}
_PASSWORD_WORDS = ("PASSWORD", "PASSWD", "PASSPHRASE")
"""The last word of a name may end in one: `PGPASSWORD`."""
_NO_VALUES = {"", "true", "false", "yes", "no", "on", "off", "none", "null"}


class Finding(NamedTuple):
    """A text that looks like a secret."""

    path: Path
    kind: str
    value: str


def refuse(
    found: list[Finding], source: Source, plain: Iterable[str] = (), *, within: str = ""
) -> list[Problem]:
    """A problem for each value that looks like a secret and that `plain` doesn't name.

    Args:
        found: what `find` found in a whole file.
        source: where that was read from.
        plain: dotted paths of values that look like secrets and are none.
        within: the name of the file, for files other than the description; their paths in `plain` are
        `FILE:PATH`.
    """
    allowed = set(plain)
    return [
        masked(source.problem(finding.path, f"this looks like {finding.kind}", _hint(name)), found)
        for finding in found
        if (name := _name(finding.path, within)) not in allowed
    ]


def find(data: Any) -> list[Finding]:
    """Everything in `data` that looks like a secret."""
    texts = _texts(data)
    everything = "\n".join(text for _, _, text in texts)
    forms = [form for form in _FORMS if any(part in everything for part in form[1])]
    return [
        Finding(path, kind, value)
        for path, name, text in texts
        if forms or _gives(text) or _speaks_of_secrets(name)
        for kind, value in [_secret_in(name, text, forms)]
        if kind
    ]


def masked(problem: Problem, found: Iterable[Finding]) -> Problem:
    """The same problem without any of the values found, neither in its message nor in its line.

    A value may be written in another way in the file than it reads (escapes, several lines), so a line
    whose value is
    refused ends where the value begins.
    """
    message, line = problem.message, problem.source
    if message.startswith("this looks like"):
        line = line[: max(problem.column - 1, 0)] + MASK
    for finding in found:
        for part in (finding.value, *finding.value.splitlines()):
            if len(part) > 2:
                message, line = message.replace(part, MASK), line.replace(part, MASK)
    return replace(problem, message=message, source=line)


def all_paths(data: Any, within: str = "") -> set[str]:
    """The dotted path of every text in `data`: what `plain` may name."""
    return {_name(path, within) for path, _, _ in _texts(data)}


def _name(path: Path, within: str) -> str:
    return f"{within}:{dotted(path)}" if within else dotted(path)


def _hint(path: str) -> str:
    return (
        f'keep it in the CI server\'s store and name it under `secrets:`; if it is none: `plain: ["{path}"]`'
    )


class _Text(NamedTuple):
    path: Path
    name: str
    """The key it stands under."""
    text: str


def _texts(data: Any) -> list[_Text]:
    """Every text, in the order of the file."""
    found: list[_Text] = []
    _add_texts(data, (), "", found)
    return found


def _add_texts(data: Any, path: Path, name: str, found: list[_Text]) -> None:
    if isinstance(data, str):
        found.append(_Text(path, name, data))
    elif isinstance(data, dict):
        named = path[:1] != ("secrets",)  # there stand names, as the servers' stores have them
        for key, item in data.items():
            _add_texts(item, (*path, key), str(key) if named else "", found)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            _add_texts(item, (*path, index), name, found)


def _secret_in(name: str, text: str, forms: Iterable[_Form]) -> tuple[str, str]:
    """The kind of secret that `text`, standing under the key `name`, looks like, and the value itself; else
    two empty texts."""
    for kind, parts, form in forms:
        known = any(part in text for part in parts) and re.search(form, text)
        if known:
            return kind, known.groupdict().get("value") or known[0]
    for holder, value in [(name, text), *_given(text)]:
        if _is_secret(holder, value):
            return f"the value of a secret, by the name {holder!r}", value
    return "", ""


def _gives(text: str) -> bool:
    """Whether it may be a command line that gives a variable or an option."""
    return "=" in text or "--" in text


def _given(text: str) -> list[tuple[str, str]]:
    if not _gives(text):
        return []
    found = re.finditer(_GIVEN, text)
    return [(given["name"] or given["option"], given["value"] or given["argument"]) for given in found]


@cache
def _speaks_of_secrets(name: str) -> bool:
    return any(word in name.upper() for word in (*_SECRET_WORDS, *_PASSWORD_WORDS))


def _is_secret(name: str, value: str) -> bool:
    if not _speaks_of_secrets(name):
        return False
    parts = [word.upper() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]
    if not parts or re.match(r"[$%{<]|\.{0,2}/|[a-zA-Z][a-zA-Z0-9+.\-]*://", value):
        return False  # a variable, a path or an address
    if parts[-1].endswith(_PASSWORD_WORDS):
        return not re.search(r"\s", value) and not value.isdigit() and value.lower() not in _NO_VALUES
    named = any(part in _SECRET_WORDS or part.endswith(_PASSWORD_WORDS) for part in parts)
    return named and _looks_random(value)


def _looks_random(text: str) -> bool:
    if len(text) < _LEAST_TOKEN or not re.fullmatch(r"[A-Za-z0-9+/_=.~\-]+", text):
        return False
    parts = re.split(r"[/_.~\-]", text)
    if all(re.fullmatch(r"[A-Z]?[a-z]*|[A-Z]+|[a-z]?[0-9]+|[a-z]+[0-9]{0,2}", part) for part in parts):
        return False  # words and numbers: a path, a version, a name
    return _bits(text) >= _LEAST_BITS


def _bits(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
