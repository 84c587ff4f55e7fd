"""What the tests of both kits look at."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from pipegen.project import Project

TOP = Path(__file__).resolve().parents[2]
FLAGSHIP = TOP / "examples" / "house-prices"
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|KEY")


def services(kit: str) -> dict[str, Any]:
    """The services of a kit's compose file."""
    found: dict[str, Any] = yaml.safe_load((TOP / kit / "compose.yaml").read_text())["services"]
    return found


def images(kit: str) -> list[str]:
    """Every image that a kit starts from, of services and of those that it builds."""
    named = [each["image"] for each in services(kit).values() if "image" in each]
    built = [
        line.split()[1]
        for path in (TOP / kit).rglob("Dockerfile")
        for line in path.read_text().splitlines()
        if line.startswith("FROM ")
    ]
    return [*named, *built]


def passwords(kit: str) -> set[str]:
    """The names of the passwords that a kit makes."""
    found = re.search(r"^PASSWORDS := (.*)$", (TOP / kit / "Makefile").read_text(), re.MULTILINE)
    assert found
    return set(found[1].split())


def needs(target: str, kind: str) -> dict[str, str]:
    """What the flagship's generated files need on a server: name and detail."""
    deployment = Project.open(FLAGSHIP).deployment(target)
    return {need.name: need.detail for need in deployment.needs if need.kind == kind}


def checkout(folder: Path, kit: str) -> Path:
    """A small repository with one commit and a copy of a kit; gives the kit's folder."""
    for name in (kit, "tools"):
        shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns(".env", ".kit"))
    for command in (["init", "-q", "-b", "topic"], ["add", "-A"], ["commit", "-qm", "one"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=folder, check=True)
    return folder / kit


def make(kit: Path, *targets: str) -> str:
    """What `make` says in a kit's folder."""
    done = subprocess.run(
        ["make", "--no-print-directory", *targets], cwd=kit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
