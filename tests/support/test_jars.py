"""Tests that need Java say so where it is missing, and fail where nothing may be skipped."""

from __future__ import annotations

import pytest

from tests.support import jars


def test_without_java_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(
        jars.JavaMissing, match="java and mvn not found: apt-get install -y default-jdk-headless maven"
    ):
        jars.classpath()


def test_it_is_a_skip_at_home_and_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = jars.JavaMissing("java not found")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="java not found"):
        jars.skip_or_fail(reason)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="java not found"):
        jars.skip_or_fail(reason)
