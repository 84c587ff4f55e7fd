"""A job's `config.xml`: our mark in it, what of it is ours, and how it differs from what it should be.

Jenkins rewrites what it is sent: it adds versions of plugins, defaults and actions, and each run of a declarative file
writes the file's parameters and timer back. So texts can't be compared. What we set is read out of both and compared
instead, and a digest of it, without what runs write, stands in the description: where the digest is not that of what
stands beside it, somebody edited the job.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from xml.etree import ElementTree

_MARK = re.compile(r"\n?\[pipegen (?P<ours>[0-9a-f]{12}) (?P<text>[0-9a-f]{12}) (?P<origin>[^\]]*)\]\s*$")


@dataclass(frozen=True)
class Mark:
    """What a job's description says of where it comes from."""

    ours: str
    """The digest of what of it is ours, as it was deployed."""
    text: str
    """The digest of the whole text that was deployed."""
    origin: str
    """Which description made it."""


class Config:
    """A `config.xml`, as sent or as Jenkins gave it.

    Args:
        text: the XML.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            # Jenkins declares XML 1.1, which no parser of Python's knows; what it writes is 1.0 but for characters
            # that 1.0 has no way to write.
            self._root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
        except ElementTree.ParseError as error:
            raise ValueError(f"no XML: {error}") from None

    @property
    def mark(self) -> Mark | None:
        """Our mark; None where it is not ours."""
        found = _MARK.search(self._root.findtext("description") or "")
        return Mark(found["ours"], found["text"], found["origin"]) if found else None

    @property
    def is_edited(self) -> bool:
        """Whether somebody changed what is ours since it was deployed."""
        return self.mark is not None and self.mark.ours != digest(self.ours)

    def same(self, other: Config) -> bool:
        """Whether what is ours is the same, and which text it was made of."""
        return self.ours == other.ours and self.mark == other.mark

    @cached_property
    def ours(self) -> list[str]:
        """What we set, one line for each thing, in terms that people read."""
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        root = self._root
        yield f"kind: {_KINDS.get(root.tag, root.tag)}"
        yield f"description: {_MARK.sub('', root.findtext('description') or '').strip()}"
        yield f"disabled: {root.findtext('disabled') or 'false'}"
        for definition in [*root.findall("definition"), *root.findall("factory")]:
            yield f"script: {definition.findtext('scriptPath') or definition.findtext('script') or ''}"
        for source in [*root.findall(".//scm"), *root.findall("sources/data/*/source")]:
            for address in [*source.iter("url"), *source.iter("remote")]:
                yield f"repository: {address.text or ''}"
            for credentials in source.iter("credentialsId"):
                if credentials.text:
                    yield f"credentials: {credentials.text}"
            for branch in source.iterfind("branches/*/name"):
                yield f"branch: {branch.text or ''}"
            for pattern in source.iter("regex"):
                yield f"branches: {pattern.text or ''}"
        for kept in root.iterfind("orphanedItemStrategy/numToKeep"):
            yield f"keeps: {kept.text or ''} builds"
        for parameter in root.iterfind(".//parameterDefinitions/*"):
            yield _parameter(parameter)
        for timer in root.iter("hudson.triggers.TimerTrigger"):
            yield f"timer: {_folded(timer.findtext('spec'))}"


_WRITTEN_BY_RUNS = ("parameter: ", "timer: ")
_KINDS = {
    "flow-definition": "job",
    "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject": "multibranch job",
    "com.cloudbees.hudson.plugins.folder.Folder": "folder",
}


def _parameter(parameter: ElementTree.Element) -> str:
    kind = parameter.tag.rpartition(".")[2].removesuffix("ParameterDefinition").lower()
    choices = [choice.text or "" for choice in parameter.iter("string")]
    default = " | ".join(choices) if choices else parameter.findtext("defaultValue") or ""
    about = parameter.findtext("description") or ""
    return f"parameter: {parameter.findtext('name')} ({kind}) = {_folded(default)}" + (
        f"  # {_folded(about)}" if about else ""
    )


def _folded(text: str | None) -> str:
    return " ⏎ ".join((text or "").strip().splitlines())


def digest(lines: list[str]) -> str:
    """A short hash of what is ours and no run writes."""
    fixed = [line for line in lines if not line.startswith(_WRITTEN_BY_RUNS)]
    return hashlib.sha256(json.dumps(fixed).encode()).hexdigest()[:12]


def marked(text: str, origin: str) -> str:
    """A `config.xml` with our mark at the end of its description.

    Args:
        text: as a target made it.
        origin: which description it is.
    """
    mark = f"[pipegen {digest(Config(text).ours)} {_text_digest(text)} {_clean(origin)}]"
    whole, found = re.subn(
        r"</description>", lambda _: f"\n{escape(mark, quote=False)}</description>", text, count=1
    )
    if not found:
        whole = re.sub(
            r"(<(?!\?)[^>]*?)(/?)>",
            lambda m: (
                f"{m[1]}>\n  <description>{escape(mark, quote=False)}</description>"
                + (f"\n</{m[1].lstrip('<').split()[0]}>" if m[2] else "")
            ),
            text,
            count=1,
        )
    return whole


def is_deployed(config: Config, text: str, origin: str) -> bool:
    """Whether a job is as a target's text says."""
    return config.same(Config(marked(text, origin)))


def is_of(config: Config, origin: str) -> bool:
    """Whether a description made a job."""
    return config.mark is not None and config.mark.origin == _clean(origin)


def difference(old: Config | None, new: Config | None, name: str) -> str:
    """From the server to the description, as a unified difference of what is ours."""
    before, after = (c.ours if c else [] for c in (old, new))
    if old and new and before == after:
        return "  what people see stays; the definition's text is new\n"
    lines = difflib.unified_diff(
        before,
        after,
        f"jenkins/{name}" if old else "/dev/null",
        f"pipegen/{name}" if new else "/dev/null",
        lineterm="",
        n=20,
    )
    return "".join(f"{line}\n" for line in lines)


def _text_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _clean(origin: str) -> str:
    """An origin within the brackets of a mark."""
    return re.sub(r"[\[\]\s]", "_", origin)
