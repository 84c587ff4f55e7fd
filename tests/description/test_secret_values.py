"""What looks like a secret is refused wherever it stands, and is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipegen.description.checks import check
from pipegen.description.load import load, loads
from pipegen.description.model import Pipeline
from pipegen.description.stage_words import Stage
from pipegen.description.stages import resolve
from pipegen.description.text import EnvName, Name
from pipegen.errors import DescriptionError

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/pipegen.yaml"))
# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
GITLAB = "glpat-" + "x1Yz2Ab3Cd4Ef5Gh6Ij7"
SLACK = "xoxb-" + "123456789012-abcdefGHIJKL"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r"
HEX = "9f86d081884c7d659a2feaa0c55ad015"


def text_with(key: str, value: str) -> str:
    return f'name: d\nstages: {{a: {{cmd: x}}}}\nenv:\n  {key}: "{value}"\n'


@pytest.mark.parametrize(
    ("key", "value", "secret", "kind"),
    [
        ("A", AWS, AWS, "an AWS access key id"),
        ("A", f"see {GITHUB}.", GITHUB, "a GitHub token"),
        ("A", GITLAB, GITLAB, "a GitLab token"),
        ("A", SLACK, SLACK, "a Slack token"),
        ("A", JWT, JWT, "a JSON web token"),
        ("A", "https://bob:s3cr3tpass@example.com/x", "s3cr3tpass", "a password in a URL"),
        ("A", "-----BEGIN RSA PRIVATE KEY-----", "BEGIN RSA", "a private key"),
        ("API_TOKEN", HEX, HEX, "the value of a secret, by the name 'API_TOKEN'"),
        ("AWS_SECRET_ACCESS_KEY", AWS_SECRET, AWS_SECRET, "the value of a secret"),
        ("API_TOKEN_URL", HEX, HEX, "the value of a secret"),
        ("DB_PASSWORD", "hunter2", "hunter2", "the value of a secret, by the name 'DB_PASSWORD'"),
        ("PGPASSWORD", "correct", "correct", "the value of a secret"),
        ("CMD", f"API_KEY={HEX} python x.py", HEX, "the value of a secret, by the name 'API_KEY'"),
        ("CMD", "psql --password hunter2 -c x", "hunter2", "the value of a secret, by the name 'password'"),
    ],
)
def test_a_secret_is_refused_and_not_shown(key: str, value: str, secret: str, kind: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        loads(text_with(key, value))
    [problem] = caught.value.problems
    assert problem.message.startswith(f"this looks like {kind}")
    assert problem.line == 4
    assert secret not in caught.value.message
    assert f'plain: ["env.{key}"]' in problem.hint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "false"),
        ("S3_KEY", "models/2024/best-v2.pkl"),
        ("KEY_COLUMN", "customer_identifier"),
        ("MONKEY", HEX),
        ("PASSWORD_FILE", "/run/secrets/db"),
        ("PASSWORD", "${DB_PASSWORD}"),
        ("PASSWORD", ""),
        ("API_TOKEN_URL", "https://auth.example.com/oauth2/token"),
        ("TOKEN_MODEL", "sentence-transformers-mini-6"),
        ("COMMIT", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"),
        ("URL", "ssh://git@example.com:22/a"),
        ("URL", "https://user:${TOKEN}@example.com/a"),
        ("NOTE", "the password is asked for on the first run"),
        ("CMD", "python train.py --key customer --tokens 4096"),
    ],
)
def test_what_is_no_secret_is_let_through(key: str, value: str) -> None:
    assert loads(text_with(key, value)).env[EnvName(key)] == value


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_examples_hold_none(path: Path) -> None:
    assert load(path).name


def test_plain_says_that_it_is_none() -> None:
    text = text_with("API_TOKEN_URL", HEX)
    assert loads(text + 'plain: ["env.API_TOKEN_URL"]\n').plain == ["env.API_TOKEN_URL"]


def test_every_secret_of_a_line_is_masked() -> None:
    with pytest.raises(DescriptionError) as caught:
        loads("name: d\nstages: {a: {cmd: x}}\nenv: {A_PASSWORD: hunter2, B_PASSWORD: swordfish}\n")
    assert len(caught.value.problems) == 2
    assert "hunter2" not in caught.value.message
    assert "swordfish" not in caught.value.message


def test_other_mistakes_of_the_line_show_no_secret_either() -> None:
    with pytest.raises(DescriptionError) as caught:
        loads(
            "name: d\nstages: {a: {cmd: x}}\nenvy: {A_PASSWORD: hunter2}\nmail: {server: 1, password: swordfish}\n"
        )
    assert "'envy' is not a key here" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "swordfish" not in caught.value.message


def test_escapes_hide_nothing() -> None:
    with pytest.raises(DescriptionError) as caught:
        loads('name: d\nstages: {a: {cmd: x}}\nenv: {A: "\\x41KIA' + AWS[4:] + '"}\n')
    assert AWS[4:] not in caught.value.message


def test_built_in_python() -> None:
    pipeline = Pipeline(name=Name("d"), stages={"a": Stage(cmd="x")}, env={EnvName("A"): AWS})  # type: ignore[dict-item]
    [problem] = check(pipeline, resolve(pipeline, Path()))
    assert problem.message == "env.A: this looks like an AWS access key id"


def test_in_a_dvc_file(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(f"stages:\n  a:\n    cmd: API_KEY={HEX} x\n    outs: [o]\n")
    text = "name: d\nstages: {from: [dvc.yaml]}\n"
    pipeline = loads(text)
    [problem] = check(pipeline, resolve(pipeline, tmp_path), tmp_path)
    assert problem.place == "dvc.yaml:3:10"
    assert HEX not in str(problem)
    pipeline = loads(text + 'plain: ["dvc.yaml:stages.a.cmd"]\n')
    assert check(pipeline, resolve(pipeline, tmp_path), tmp_path) == []


def test_names_of_secrets_are_no_secrets() -> None:
    text = 'name: d\nstages: {a: {cmd: x}}\nsecrets: {s: {env: [A], jenkins: {id: x, password: DB_PASS, key: "%s"}}}\n'
    assert loads(text % HEX).secrets
