"""JUnit files as Jenkins and GoCD read them. The one place that makes text fit for XML.

Shapes as pytest, Maven Surefire and Ant write them: `testsuites` or `testsuite` at the top, `testcase` with `failure`,
`error` or `skipped` within.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipegen.errors import os_error

Bad = Literal["failure", "error", "skipped"]
COUNTS = ("tests", "failures", "errors", "skipped")
_ILLEGAL = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(127, 133), *range(134, 160), 65534, 65535),
    "\N{REPLACEMENT CHARACTER}",
)
"""What XML can't hold, or had better not."""
_LONGEST = 64 * 1024
"""Characters of one text; more helps nobody and no server."""


@dataclass(frozen=True)
class Case:
    """One test."""

    name: str
    classname: str
    seconds: float = 0.0
    bad: Bad | None = None
    """None: it passed."""
    message: str = ""
    detail: str = ""


def suite(name: str, cases: Iterable[Case], properties: Mapping[str, str] | None = None) -> ET.Element:
    """A suite of tests, counted."""
    cases = list(cases)
    words = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    counts = dict.fromkeys(COUNTS, 0) | {"tests": len(cases)}
    for case in cases:
        if case.bad:
            counts[words[case.bad]] += 1
    seconds = sum(case.seconds for case in cases)
    attributes = {word: str(count) for word, count in counts.items()}
    element = ET.Element("testsuite", {"name": text(name), **attributes, "time": f"{seconds:.3f}"})
    if properties:
        listed = ET.SubElement(element, "properties")
        for key, value in properties.items():
            ET.SubElement(listed, "property", {"name": text(key), "value": text(value)})
    for case in cases:
        _add(element, case)
    return element


def _add(element: ET.Element, case: Case) -> None:
    attributes = {"classname": text(case.classname), "name": text(case.name), "time": f"{case.seconds:.3f}"}
    found = ET.SubElement(element, "testcase", attributes)
    if case.bad:
        ET.SubElement(found, case.bad, {"message": text(case.message)}).text = text(case.detail) or None
    elif case.detail:
        ET.SubElement(found, "system-out").text = text(case.detail)


def counts(suites: Iterable[ET.Element]) -> dict[str, int]:
    """Of all tests: how many there are, failed, broke and were skipped."""
    suites = list(suites)
    return {word: sum(_whole(suite.get(word)) for suite in suites) for word in COUNTS}


def _whole(value: str | None) -> int:
    """Some writers leave a count empty or out."""
    with contextlib.suppress(ValueError):
        return int(value or 0)
    return 0


def read(path: Path) -> list[ET.Element]:
    """The suites in a JUnit file; none where it is none."""
    try:
        root = ET.parse(path).getroot()
    except (OSError, ET.ParseError, ValueError, LookupError):
        return []
    return [root] if root.tag == "testsuite" else list(root.iter("testsuite"))


def write(suites: Iterable[ET.Element], path: Path) -> None:
    """Write a JUnit file, all of it or nothing.

    Raises:
        FileError: it can't be written.
    """
    suites = list(suites)
    root = ET.Element("testsuites", {word: str(count) for word, count in counts(suites).items()})
    root.extend(suites)
    ET.indent(root)
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        ET.ElementTree(root).write(temporary, encoding="utf-8", xml_declaration=True)
        os.replace(temporary, path)
    except OSError as error:
        raise os_error(error, "write", path) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def text(value: str) -> str:
    """Text as XML can hold it; what is longer than anybody reads is cut."""
    value = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value)} characters)"
    return value.translate(_ILLEGAL).encode("utf-8", "replace").decode()
