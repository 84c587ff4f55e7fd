"""examples/house-prices, on less data than it comes with: the code is the same, and the tests are quick."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from example_runs import EXAMPLES, Step, copy_example, digests, environment, run_each_alone, run_steps, steps

EXAMPLE = EXAMPLES / "house-prices"
STEPS = steps(EXAMPLE)
KINDS = ("lasso", "forest", "boosting")
Damage = Callable[[Path], None]
SMALLER = {
    "ingest": {"history": 12, "sales": 120},
    "train": {"forest": {"trees": 10, "min_leaf": 4}, "boosting": {"rounds": 60}},
}


@pytest.fixture(scope="module")
def produced(scratch: Path) -> Path:
    """All outputs of a smaller run."""
    folder = copy_example("house-prices", scratch / "house-prices")
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["ingest"].update(SMALLER["ingest"])
    for kind, settings in SMALLER["train"].items():
        params["train"][kind].update(settings)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    run_steps([(folder, step) for step in STEPS], hash_seed=1, threads=1)
    return folder


def test_stages_are_the_ones_the_readme_draws() -> None:
    assert [step.name for step in STEPS] == [
        "ingest", "validate", "split", "features",
        *(f"train@{kind}" for kind in KINDS), *(f"evaluate@{kind}" for kind in KINDS),
        "select", "report",
    ]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_module_that_a_stage_imports_is_its_dep(step: Step) -> None:
    program, module, *_ = step.argv
    assert program == "-m"
    assert {*_modules_behind(module.replace(".", "/") + ".py"), "requirements.txt"} <= set(step.deps)


def _modules_behind(path: str) -> set[str]:
    found, todo = set(), [path]
    while todo:
        found.add(path := todo.pop())
        for node in ast.walk(ast.parse((EXAMPLE / path).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("houses."):
                todo.append(node.module.replace(".", "/") + ".py")
        todo = [each for each in todo if each not in found]
    return found


def test_same_bytes_again_from_declared_inputs_alone(produced: Path, scratch: Path) -> None:
    """Other string hashes, another number of threads, and no file or parameter but the declared ones."""
    alone = run_each_alone(produced, scratch / "alone")
    for step in STEPS:
        assert digests(alone[step.name], step.outs) == digests(produced, step.outs), step.name


def test_git_sees_no_output(produced: Path, tmp_path: Path) -> None:
    tree = Path(shutil.copytree(produced, tmp_path / "tree"))
    outs = [out for step in STEPS for out in step.outs]
    subprocess.run(["git", "init", "-q", tree], check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard"]
    seen = subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout.splitlines()
    assert "pipegen.yaml" in seen
    assert not set(seen) & set(outs)


def _failed(junit: Path) -> set[str]:
    return {
        f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
        for case in ElementTree.parse(junit).getroot().iter("testcase")
        if case.find("failure") is not None or case.find("error") is not None
    }


def test_artifact_tests_pass_as_each_stage_names_them(produced: Path) -> None:
    named = [test.removeprefix("python -m pytest ").split() for step in STEPS for test in step.tests]
    files = sorted({test[0] for test in named})
    assert len(named) == len(STEPS)
    assert files == sorted(str(path.relative_to(EXAMPLE)) for path in (EXAMPLE / "tests").rglob("test_*.py"))
    assert {tuple(test[1:]) for test in named} == {(), *(("--model", kind) for kind in KINDS)}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=junit.xml", *files],
        cwd=produced, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert _failed(produced / "junit.xml") == set()


def _replace(old: str, new: str) -> Damage:
    def damage(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return damage


def _set(key: str, value: float) -> Damage:
    def damage(path: Path) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    return damage


def _drop_last_line(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def _repeat_last_line(path: Path) -> None:
    path.write_text(path.read_text() + path.read_text().splitlines(keepends=True)[-1])


def _cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


# What is damaged, how, and the artifact test that must notice.
DAMAGES: list[tuple[str, Damage, str]] = [
    ("data/raw.csv", _replace("2026-10-", "2026-11-"), "test_raw::test_has_every_month_in_full"),
    ("data/raw.csv", _replace(",12043,", ",99999,"), "test_raw::test_knows_every_postcode"),
    ("data/raw.csv", _replace(",built,", ",year,"), "test_raw::test_has_the_agreed_columns"),
    ("data/valid.csv", _repeat_last_line, "test_valid::test_every_record_is_usable"),
    ("data/valid.csv", _drop_last_line, "test_valid::test_counts_add_up"),
    ("data/split/train.csv", _drop_last_line, "test_split::test_no_sale_is_on_both_sides_or_lost"),
    ("data/test.csv", _drop_last_line, "test_features::test_no_sale_was_lost[test]"),
    ("models/forest.pkl", _cut_in_half, "test_model::test_predicts_possible_prices[forest]"),
    ("metrics/train/lasso.json", _set("r2", 1.2), "test_model::test_metrics_are_sane[lasso]"),
    (
        "metrics/test/boosting.json",
        _set("bias", -1.0),
        "test_evaluation::test_metrics_are_those_of_the_predictions[boosting]",
    ),
    ("models/best.pkl", _cut_in_half, "test_best::test_model_is_the_one_that_is_named"),
    ("metrics/by_zip.json", _replace("14193", "14194"), "test_best::test_postcodes_together_are_all_sales"),
    ("metrics/test/lasso.json", _set("rmse", 1.0), "test_best::test_no_other_model_is_better"),
    (
        "report/index.html",
        _replace("2026-10", ""),
        "test_report::test_page_names_month_model_and_every_postcode",
    ),
    ("report/by_zip.png", _cut_in_half, "test_report::test_pictures_of_the_page_exist_and_show_something"),
]

# One process for all: put the damaged file in place, test, put the whole one back.
TEST_DAMAGED = """
import json, shutil, sys
import pytest
for number, path, test_file in json.load(sys.stdin):
    shutil.copyfile(path, "whole")
    shutil.copyfile(f"damaged-{number}", path)
    pytest.main(["-q", "-p", "no:cacheprovider", f"--junitxml=junit-{number}.xml", test_file])
    shutil.copyfile("whole", path)
"""


@pytest.fixture(scope="module")
def damaged(produced: Path, scratch: Path) -> Path:
    """A tree with the JUnit file of each damage."""
    tree = Path(shutil.copytree(produced, scratch / "damaged"))
    work = []
    for number, (path, damage, test) in enumerate(DAMAGES):
        damage(Path(shutil.copyfile(tree / path, tree / f"damaged-{number}")))
        work.append([number, path, f"tests/artifacts/{test.partition('::')[0]}.py"])
    subprocess.run(
        [sys.executable, "-c", TEST_DAMAGED],
        input=json.dumps(work), cwd=tree, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return tree


@pytest.mark.parametrize("number", range(len(DAMAGES)), ids=[f"{path}-{test}" for path, _, test in DAMAGES])
def test_artifact_tests_notice_damage(damaged: Path, number: int) -> None:
    assert DAMAGES[number][2] in _failed(damaged / f"junit-{number}.xml")


def _script(tree: Path, home: Path, name: str, tier: str = "staging") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tree / name, tier], env=environment(HOUSES_HOME=str(home)), cwd=home, capture_output=True, text=True
    )


def test_deploy_verify_and_roll_back(produced: Path, tmp_path: Path) -> None:
    tree = Path(shutil.copytree(produced, tmp_path / "tree"))
    home, model = tmp_path / "service", tree / "models/best.pkl"
    home.mkdir()
    in_service = home / "staging/current/model.pkl"

    shutil.copyfile(tree / "models/forest.pkl", model)
    assert _script(tree, home, "deploy.sh").returncode == 0
    assert _script(tree, home, "back.sh").returncode == 1, "there is nothing to go back to"
    shutil.copyfile(tree / "models/boosting.pkl", model)
    assert _script(tree, home, "deploy.sh").returncode == 0
    assert "already in service" in _script(tree, home, "deploy.sh").stdout
    assert in_service.read_bytes() == (tree / "models/boosting.pkl").read_bytes()

    verified = _script(tree, home, "smoke.sh")
    assert verified.returncode == 0, verified.stderr
    assert "EUR for 100 m²" in verified.stdout

    assert _script(tree, home, "back.sh").returncode == 0
    assert in_service.read_bytes() == (tree / "models/forest.pkl").read_bytes()
    assert not (home / "production").exists()


def test_a_broken_model_is_noticed_in_service(produced: Path, tmp_path: Path) -> None:
    in_service = tmp_path / "staging/current/model.pkl"
    in_service.parent.mkdir(parents=True)
    in_service.write_bytes((produced / "models/best.pkl").read_bytes()[:1000])
    assert _script(produced, tmp_path, "smoke.sh").returncode != 0
