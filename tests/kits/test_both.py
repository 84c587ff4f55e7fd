"""What holds for the bring-up kits of both servers."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

import pytest

from tests.kits.kit import SECRET, TOP, checkout, images, make, passwords, services

KITS = pytest.mark.parametrize("kit", ["jenkins", "gocd"])


@KITS
def test_it_listens_on_this_machine_alone(kit: str) -> None:
    ports = [port for each in services(kit).values() for port in each.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)


@KITS
def test_every_image_is_pinned(kit: str) -> None:
    for image in images(kit):
        _, _, tag = image.rpartition(":")
        assert re.search(r"\d", tag), image
        assert "latest" not in tag


@KITS
def test_no_password_is_written_down_and_all_are_made(kit: str) -> None:
    asked = set()
    for service in services(kit).values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                found = re.fullmatch(r"\$\{(\w+):\?make up\}", str(value))
                assert found, f"{name} has a value of its own"
                asked.add(found[1])
    assert asked
    assert asked <= passwords(kit)


@KITS
def test_passwords_are_made_once_and_are_nobody_elses(kit: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path, kit)
    make(folder, ".env")
    first = (folder / ".env").read_text()
    make(folder, ".env")
    assert (folder / ".env").read_text() == first
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    made = dict(line.split("=") for line in first.splitlines())
    assert set(made) == passwords(kit)
    assert len(set(made.values())) == len(made)
    assert all(len(value) >= 32 for value in made.values())
    ignored = subprocess.run(["git", "check-ignore", f"{kit}/.env", f"{kit}/.kit/x"], cwd=TOP, check=True)
    assert ignored.returncode == 0


@KITS
def test_the_last_commit_is_served_as_main(kit: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path, kit)
    said = make(folder, "mirror")
    (tmp_path / "more").write_text("x")
    for command in (["add", "-A"], ["commit", "-qm", "two"], ["commit", "-q", "--amend", "-m", "three"]):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=tmp_path, check=True
        )
    make(folder, "mirror")
    served = subprocess.run(
        ["git", "log", "-1", "--format=%s", "main"],
        cwd=folder / ".kit/git/pipegen.git",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "serving commit" in said
    assert served.stdout == "three\n"
    assert stat.S_IMODE((folder / ".kit").stat().st_mode) == 0o700


@KITS
def test_up_makes_what_it_needs_in_order(kit: str) -> None:
    planned = make(TOP / kit, "-n", "up")
    steps = [planned.index(word) for word in ("kit-passwords", "kit-mirror", "compose up")]
    assert steps == sorted(steps)
    assert "make up" in make(TOP / kit, "help")


@KITS
def test_git_finds_the_checkout_under_the_flagships_address(kit: str) -> None:
    address = re.search(
        r'^repository: "(.*)"$',
        (TOP / "examples/house-prices/pipegen.yaml").read_text(),
        re.MULTILINE,
    )
    assert address
    for path in (TOP / kit).rglob("Dockerfile"):
        assert f"insteadOf {address[1]}" in path.read_text()


@KITS
def test_scripts_are_shell(kit: str) -> None:
    scripts = [p for p in (TOP / kit).rglob("*") if p.is_file() and p.read_bytes().startswith(b"#!/bin/sh")]
    for script in [*scripts, TOP / "tools/kit-mirror", TOP / "tools/kit-passwords"]:
        subprocess.run(["sh", "-n", script], check=True)
