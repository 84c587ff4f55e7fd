"""The packages of the stages: what requirement files ask for and what is installed; known vulnerabilities."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipegen.errors import FileError
from pipegen.runner import pyenv
from pipegen.runner.doctor.findings import Finding

_LIST = (
    "import importlib.metadata as m, json; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}))"
)
_PATIENCE = 180
"""Seconds for pip-audit, which asks a server about each package."""


def packages(
    requirements: Sequence[Path], version: str | None, path: str | None, *, in_job: bool = False
) -> Iterator[Finding]:
    """What is installed against the requirement files: in the environment that `python:` made on this machine, else for
    the `python` on the PATH.

    Args:
        requirements: the files; at least one.
        version: of Python, as `python:` says it.
        path: the PATH; None for this process's own.
        in_job: whether a CI server's job asks: its `python` is pipegen's own, not that of the stages.
    """
    try:
        made = pyenv.known(version, requirements)
    except FileError as error:
        yield Finding("packages", "unknown", error.message)
        return
    if made is None and in_job:
        yield Finding("packages", "unknown", "the environment of `python:` was not made on this machine yet")
    else:
        yield _installed(requirements, str(made / "bin" / "python") if made else _python(path))
    yield _audited(requirements, made, path)


def _python(path: str | None) -> str:
    return shutil.which("python", path=path) or shutil.which("python3", path=path) or sys.executable


def _installed(requirements: Sequence[Path], python: str) -> Finding:
    try:
        done = subprocess.run((python, "-c", _LIST), capture_output=True, text=True, check=False)
        return _compared(requirements, json.loads(done.stdout), python)
    except (OSError, ValueError):
        return Finding("packages", "unknown", f"{python} does not say what is installed for it")


def _compared(requirements: Sequence[Path], installed: Mapping[str, str], python: str) -> Finding:
    from packaging.utils import canonicalize_name

    versions = {canonicalize_name(name): version for name, version in installed.items()}
    wrong, count = [], 0
    for wanted in _wanted(requirements):
        count += 1
        version = versions.get(canonicalize_name(wanted.name))
        if version is None:
            wrong.append(f"{wanted.name} is not installed")
        elif not wanted.specifier.contains(version, prereleases=True):
            wrong.append(f"{wanted.name} is {version}, {wanted.specifier} is asked for")
    if wrong:
        return Finding(
            "packages", "stale", f"for {python}: {'; '.join(wrong)}", "install the requirement files"
        )
    return Finding("packages", "fresh", f"{count} requirements are met by what is installed for {python}")


def _wanted(requirements: Sequence[Path]) -> Iterator[Any]:
    """The requirements that hold for this machine; options and addresses are passed over."""
    from packaging.requirements import InvalidRequirement, Requirement

    for path in requirements:
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            text = line.partition(" #")[0].strip()
            if not text or text.startswith(("#", "-")):
                continue
            try:
                wanted = Requirement(text)
            except InvalidRequirement:
                continue
            if wanted.marker is None or wanted.marker.evaluate():
                yield wanted


def _audited(requirements: Sequence[Path], made: Path | None, path: str | None) -> Finding:
    """What pip-audit knows of all that is in the environment of `python:`, else of the requirement files, which it
    resolves."""
    topic, tool = "vulnerabilities", shutil.which("pip-audit", path=path)
    if tool is None:
        return Finding(topic, "unknown", "pip-audit is not installed", "pip install pip-audit")
    where = [word for file in requirements for word in ("-r", str(file))]
    if made is not None:
        where = [
            word for folder in made.glob("lib/python*/site-packages") for word in ("--path", str(folder))
        ]
    command = (tool, *where, "--format", "json", "--progress-spinner", "off")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        found = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return Finding(topic, "unknown", f"pip-audit had no answer within {_PATIENCE} s")
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding(topic, "unknown", f"pip-audit could not tell: {said[:200]}")
    bad = [
        f"{each['name']} {each.get('version', '')}: {_ids(each['vulns'])}"
        for each in found
        if each.get("vulns")
    ]
    if bad:
        return Finding(topic, "stale", "; ".join(bad), "raise these versions in the requirement files")
    unknown = [str(each["name"]) for each in found if "vulns" not in each]
    if found and len(unknown) == len(found):
        return Finding(topic, "unknown", f"pip-audit's source has none of the {len(found)} packages")
    if unknown:
        which = f"{len(unknown)} of {len(found)} packages, such as {unknown[0]}"
        return Finding(topic, "unknown", f"none known, but pip-audit's source does not have {which}")
    return Finding(topic, "fresh", f"none known of {len(found)} packages")


def _ids(vulnerabilities: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{each['id']} (mended in {', '.join(each['fix_versions'])})"
        if each.get("fix_versions")
        else str(each["id"])
        for each in vulnerabilities
    )
