"""What can be told of a shell command by looking at it. Where a shell would have to be asked, nothing is
told."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
from collections.abc import Iterator

_OPERATORS = {";", "&", "&&", "|", "||", "(", ")", ";;"}
_CLOSERS = {"then", "else", "elif", "fi", "do", "done", "esac", "}", "in"}
"""Words before which a `;` ends no command of its own."""
_PYTHON = re.compile(r"(.*/)?python[0-9.]*")


def paths_in(line: str) -> Iterator[str]:
    """The words of a command line that may be paths that it reads, relative to where it runs; those behind
    `>` are written.

    After `cd` nothing more is told, nor of words that the shell or another program expands.
    """
    words = _words(line)
    for index, word in enumerate(words):
        before = words[index - 1] if index else ";"
        if word == "cd" and (before in _OPERATORS):
            return
        if before == "-m" and index > 1 and _PYTHON.fullmatch(words[index - 2]):
            module = word.replace(".", "/")
            yield from (f"{module}.py", f"{module}/__main__.py")
        elif not before.startswith(">") and _may_be_path(_value(word)):
            yield posixpath.normpath(_value(word))


def _value(word: str) -> str:
    """`--config=a.yaml` speaks of `a.yaml`."""
    return word.partition("=")[2] if "=" in word else word


def _may_be_path(word: str) -> bool:
    return bool(re.fullmatch(r"[\w.@+,%~/\- ]+", word)) and not word.startswith(("-", "~", "/"))


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return list(lexer)
    except ValueError:
        return []  # a quote stays open: the shell will say so


def has_unguarded_separator(line: str) -> bool:
    """Whether a `;` stands between two commands and neither `set -e` nor `&&` lets the line stop at a
    failure."""
    words = _words(line)
    if "set" in words and any(re.fullmatch(r"-[a-z]*e[a-z]*|errexit", word) for word in words):
        return False
    return any(word == ";" and following not in _CLOSERS for word, following in itertools.pairwise(words))
