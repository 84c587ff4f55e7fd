"""Whatever text goes into a Jenkinsfile, Groovy reads the same text out of it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipegen.errors import PlanError
from pipegen.targets.jenkins.groovy import LONGEST_LITERAL, literal
from tests.targets.jenkins.harness import GroovyServer

pytestmark = pytest.mark.java

TEXT = st.text(
    st.one_of(
        st.sampled_from("'\"$\\{}\n\r\t /*u0041`é🎉"),
        st.characters(codec="utf-8", exclude_characters="\uffff"),
    ),
    max_size=40,
)


@example(
    [
        "'''",
        '"""',
        "*/",
        "${x}",
        "$x",
        "\\",
        "\\\\",
        "\\'",
        "\\u0041",
        "\\\\u0041",
        "$/ /$",
        "a\r\nb",
        "\x00",
        "\ufeff",
        "\u2028",
    ]
)
@given(st.lists(TEXT, min_size=1, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_literal_is_the_text(groovy: GroovyServer, texts: list[str]) -> None:
    assert groovy.evaluate([literal(text) for text in texts]) == texts


@given(st.lists(TEXT, min_size=1, max_size=20, unique=True))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_commands_arrive_as_they_were_meant(groovy: GroovyServer, texts: list[str]) -> None:
    steps = "\n".join(f"sh {literal(each)}" for each in texts)
    text = (
        f"pipeline {{\n agent any\n stages {{\n  stage('a') {{\n   steps {{\n{steps}\n   }}\n  }}\n }}\n}}\n"
    )
    linted = groovy.lint(text)
    assert linted.errors == []
    assert linted.model is not None
    read = linted.model["pipeline"]["stages"][0]["branches"][0]["steps"]
    assert [step["arguments"][0]["value"]["value"] for step in read] == texts
    assert groovy.run(text).commands == texts
    assert groovy.compile_cps(text) == []


@pytest.mark.parametrize(
    "text",
    ["a\uffffb", "\ud800", "x" * (LONGEST_LITERAL + 1)],
    ids=["end-of-source", "surrogate", "too-long"],
)
def test_what_no_jenkinsfile_can_hold_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        literal(text)


def test_the_longest_literal_compiles(groovy: GroovyServer) -> None:
    assert groovy.compile_cps(f"echo {literal('é' * (LONGEST_LITERAL // 2))}") == []
