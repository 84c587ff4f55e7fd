"""The public library is what `pipegen.__all__` names, and neither it nor the quick commands load a heavy library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pipegen
from pipegen.description import model

ROOT = Path(__file__).parents[1]
FLAGSHIP = str(ROOT / "examples" / "house-prices")
HEAVY = {
    "dvc",
    "dvc_data",
    "dvc_objects",
    "scmrepo",
    "git",
    "jenkins",
    "jinja2",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "requests",
    "rich",
    "sklearn",
}


def test_every_public_name_is_there_and_documented() -> None:
    for name in pipegen.__all__:
        assert name == "__version__" or getattr(pipegen, name).__doc__, name
    assert set(pipegen.__all__) <= set(dir(pipegen))
    with pytest.raises(AttributeError, match="has no attribute 'Pipelin'"):
        _ = pipegen.Pipelin  # type: ignore[attr-defined]


def test_all_classes_of_the_description_and_all_errors_are_public() -> None:
    words = {
        name
        for name, value in vars(model).items()
        if getattr(value, "__module__", "") == model.__name__ and isinstance(value, type)
    }
    errors = {
        name
        for name, value in vars(pipegen.errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }
    assert words | errors <= set(pipegen.__all__)


def modules_of(code: str) -> set[str]:
    """The top names of all modules that a Python program imports."""
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "code",
    [
        "import pipegen",
        "import pipegen.cli",
        "from pipegen.cli import main; main(['--help'])",
        f"from pipegen.cli import main; main(['validate', {FLAGSHIP!r}])",
        "from pipegen import PipegenError, Pipeline, Project",
    ],
)
def test_no_heavy_library_is_loaded(code: str) -> None:
    loaded = modules_of(code)
    assert "pipegen" in loaded
    assert loaded & HEAVY == set()


def test_generate_loads_neither_dvc_nor_any_other_of_the_pipeline_s_libraries() -> None:
    loaded = modules_of(f"from pipegen.cli import main; main(['generate', '--stdout', {FLAGSHIP!r}])")
    assert "jinja2" in loaded
    assert loaded & HEAVY == {"jinja2"}


BUILT = """
from pipegen import Ci, Defaults, On, Pipeline, Project, Push, Stage, Workflow

pipeline = Pipeline(
    name="iris",
    defaults=Defaults(timeout="30m"),
    targets={"jenkins": {"layout": "chain"}},
    stages={"train": Stage(cmd="python train.py", outs=["model.pkl"], ci=Ci(timeout="2h"))},
    workflows={"push": Workflow(on=On(push=Push(branches=["main"])))},
)
print(Project(pipeline).plan("push").jobs[0].timeout)
"""


def test_a_description_is_built_from_plain_text(tmp_path: Path) -> None:
    """A strict type checker takes it, and durations given as text count."""
    script = tmp_path / "build.py"
    script.write_text(BUILT)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (checked.stdout, checked.returncode) == ("", 0)
    ran = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) == 2 * 3600 + 600


def test_a_description_built_wrong_is_refused_with_every_mistake() -> None:
    from pipegen import Defaults, DescriptionError, Pipeline, Project, Stage

    wrong = Pipeline(name="a b", defaults=Defaults(timeout="30x"), stages={"train": Stage(cmd="true")})
    with pytest.raises(DescriptionError) as refused:
        Project(wrong)
    assert [problem.message.split(":")[0] for problem in refused.value.problems] == [
        "name",
        "defaults.timeout",
    ]
