"""What `expand` makes of a `dvc.yaml` is what DVC makes of it, for a corpus of shapes and for random ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipegen.description.dumper import dump
from pipegen.dvc import resolver
from pipegen.dvc.expand import Expanded, expand
from pipegen.dvc.yaml12 import parse
from pipegen.errors import DescriptionError, WorkspaceError

SHAPES = Path(__file__).parent / "shapes"
FILES = sorted(
    path.relative_to(SHAPES).as_posix()
    for path in SHAPES.rglob("*.yaml")
    if path.parent == SHAPES or path.name == "dvc.yaml"
)
ASKS_DVC = {
    "default-params/dvc.yaml",
    "foreach-interpolated-items.yaml",
    "matrix-interpolated.yaml",
    "monorepo/train/dvc.yaml",
    "options-style/dvc.yaml",
    "params-unused/dvc.yaml",
    "vars-files/dvc.yaml",
    "vars-in-command.yaml",
    "vars-in-wdir/dvc.yaml",
    "vars-inline.yaml",
    "vars-local-file/dvc.yaml",
    "vars-of-stage.yaml",
    "vars-shadowed.yaml",
}
"""The shapes that hold something only DVC can fill in; all others are expanded without importing it."""


def ours(file: Path) -> list[Expanded]:
    document = parse(file.read_text(encoding="utf-8"), str(file))
    return list(expand(document.value or {}, file, document))


def refusals(text: str, folder: Path) -> list[str]:
    file = folder / "dvc.yaml"
    file.write_text(textwrap.dedent(text))
    with pytest.raises(DescriptionError) as caught:
        ours(file)
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in caught.value.problems]


def by_dvc(file: Path) -> list[tuple[str, Any]]:
    """Names and definitions as DVC's own loader has them, schema checked, out of a DVC repository."""
    from dvc.dvcfile import ProjectFile
    from dvc.repo import Repo

    root = next(folder for folder in file.parents if (folder / ".dvc").is_dir())
    with Repo(str(root)) as repo:
        found = ProjectFile(repo, str(file), verify=False).resolver
        return [(name, found.resolve_one(name)[name]) for name in found.get_keys()]


def exact(stages: Any) -> list[str]:
    """As text, so that order and types count: 1, 1.0 and True are equal in Python."""
    return [repr(stage) for stage in stages]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shapes in a DVC repository; the flat ones as a `dvc.yaml` in a folder of their own."""
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("corpus")
    Repo.init(str(root), no_scm=True).close()
    for name in FILES:
        if "/" not in name:
            (root / name).mkdir()
            shutil.copy(SHAPES / name, root / name / "dvc.yaml")
    for folder in SHAPES.iterdir():
        if folder.is_dir():
            shutil.copytree(folder, root / folder.name)
    return root


def place(corpus: Path, name: str) -> Path:
    return corpus / name if "/" in name else corpus / name / "dvc.yaml"


def test_the_corpus_is_there() -> None:
    assert len(FILES) >= 30


@pytest.mark.parametrize("name", FILES)
def test_expands_as_dvc_does(name: str, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place(corpus, name)
    monkeypatch.chdir(corpus)  # DVC looks for params files relative to where it is called
    expected = by_dvc(file)
    assert exact((stage.name, stage.definition) for stage in ours(file)) == exact(expected)


@pytest.mark.parametrize("name", sorted(set(FILES) - ASKS_DVC))
def test_literal_shapes_need_no_dvc(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver.Resolver, "_resolver", property(lambda _: pytest.fail("DVC was asked")))
    ours(SHAPES / name)


def test_expanding_imports_no_dvc() -> None:
    program = f"""
        import sys
        from pathlib import Path
        from pipegen.dvc.expand import expand
        from pipegen.dvc.yaml12 import parse
        file = Path({str(SHAPES / "unpacked-mapping.yaml")!r})
        document = parse(file.read_text(), "dvc.yaml")
        assert len(list(expand(document.value, file, document))) == 5
        heavy = [name for name in sys.modules if name.partition(".")[0] in ("dvc", "ruamel", "fsspec")]
        assert not heavy, heavy
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True)


def test_every_stage_says_where_it_stands() -> None:
    found = {stage.name: stage.at for stage in ours(SHAPES / "foreach-map.yaml")}
    assert found["build@uk"] == ("stages", "build", "do")
    assert {stage.at for stage in ours(SHAPES / "matrix.yaml")} == {("stages", "train")}


# ------------------------------------------------------------------------------------------------- random shapes

_words = st.text(st.sampled_from("abcxyz019 _-.ß東{}[]$\\'\"#:,&*!%"), max_size=8)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-1000, 1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words
)
_names = st.text(st.sampled_from("abcdefgh"), min_size=1, max_size=3)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)
_expressions = st.sampled_from(
    [
        "item",
        "key",
        "item.a",
        "item.b",
        "item[0]",
        "item[-1]",
        "item.a.b",
        " item ",
        "item[1].a",
        "item.a[0]",
        "nothing",
        "item.",
    ]
)
_pieces = _expressions.map("${{{}}}".format) | _expressions.map("\\${{{}}}".format) | _words
_templates = st.lists(_pieces, min_size=1, max_size=3).map("".join)


@st.composite
def _stages(draw: st.DrawFn) -> dict[str, Any]:
    stage: dict[str, Any] = {"cmd": draw(_templates | st.lists(_templates, min_size=1, max_size=2))}
    if draw(st.booleans()):
        stage["desc"] = draw(_templates)
    if draw(st.booleans()):
        stage["deps"] = draw(st.lists(_templates, max_size=2))
    if draw(st.booleans()):
        stage["meta"] = draw(st.dictionaries(_templates, _templates | _scalars, max_size=2))
    match draw(st.sampled_from(["plain", "list", "map", "matrix"])):
        case "list":
            return {"foreach": draw(st.lists(_values, max_size=4)), "do": stage}
        case "map":
            return {"foreach": draw(st.dictionaries(_names, _values, max_size=3)), "do": stage}
        case "matrix":
            return {
                "matrix": draw(
                    st.dictionaries(_names, st.lists(_values, max_size=3), min_size=1, max_size=2)
                ),
                **stage,
            }
    return stage


STRICTER_THAN_DVC = ("stands where", "is not text", "make the one name", "an item is empty", "holds @")
"""Mistakes on which DVC's resolver says nothing, though its stages then fail or are lost."""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from dvc.repo import Repo

    root = tmp_path_factory.mktemp("random")
    with Repo.init(str(root), no_scm=True) as repo:
        yield repo


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stage=_stages())
def test_random_literal_stages_expand_as_dvc_does(stage: dict[str, Any], repository: Any) -> None:
    from dvc.parsing import DataResolver

    text = dump({"stages": {"s": stage}})
    document = parse(text, "dvc.yaml")
    file = Path(repository.root_dir, "dvc.yaml")
    try:
        found = DataResolver(repository, repository.root_dir, document.value)
        expected = [(name, found.resolve_one(name)[name]) for name in found.get_keys()]
    except Exception:  # DVC fails with errors of many kinds on bad input
        expected = None
    try:
        result = [(stage.name, stage.definition) for stage in expand(document.value, file, document)]
    except DescriptionError as error:
        said = error.message
        assert expected is None or any(why in said for why in STRICTER_THAN_DVC), text
    else:
        assert expected is not None, text
        assert exact(result) == exact(expected)


# ------------------------------------------------------------------------------------------------- refusals


def test_what_dvc_refuses_is_said_once_with_its_place(tmp_path: Path) -> None:
    text = """\
    stages:
      a: {cmd: "${b.c}"}
      b: {foreach: [1, 2], do: {cmd: "x ${item.x}"}}
      c: {foreach: [1, 2], do: {cmd: "x ${item[}"}}
      d: {foreach: x, do: {cmd: x}}
      e: {foreach: [2026-01-01], do: {cmd: x}}
    """
    found = refusals(text, tmp_path)
    assert found.pop(2).startswith("4:34 DVC can't resolve 'c@1': ${item[} ParseException: ")
    assert found == [
        "2:12 DVC can't resolve 'a': Could not find 'b.c'",
        "3:34 DVC can't resolve 'b@1': Could not find 'item.x'",
        "5:16 DVC can't resolve 'd': expected list/dictionary, got str",
        "6:34 DVC can't resolve 'e@2026-01-01': Unsupported value of type 'date' in '<local>:item'",
    ]


def test_names_that_dvc_does_not_find_again(tmp_path: Path) -> None:
    text = """\
    stages:
      f@g: {cmd: ls}
      g: {foreach: [a@b, ""], do: {cmd: ls}}
      h: {matrix: {x: [a, a-b], y: [b-c, c]}, cmd: ls}
      i: {foreach: {1: one, "1": uno}, do: {cmd: ls}}
      j: {matrix: {}, cmd: ls}
      7: {cmd: ls}
    """
    assert refusals(text, tmp_path) == [
        "2:3 the stage's name 'f@g' holds @, which stands before an item",
        "3:3 an item that holds @ makes the name 'g@a@b', which DVC does not find again",
        "3:3 an item is empty, so its stage has no name",
        "4:3 two different items make the one name 'h@a-b-c': DVC would drop the first",
        "5:3 two different items make the one name 'i@1': DVC would drop the first",
        "6:3 an item is empty, so its stage has no name",
        "7:3 the stage's name 7 is not text; quote it",
    ]


def test_shapes_that_are_no_stage(tmp_path: Path) -> None:
    text = """\
    stages:
      a: ls
      b: {do: {cmd: ls}}
      c: {foreach: [1]}
      d: {foreach: [1], matrix: {a: [1]}, do: {cmd: ls}}
      e: {deps: [x]}
      f: {matrix: [1], cmd: ls}
      g: {matrix: {a: 5}, cmd: ls}
    """
    assert refusals(text, tmp_path)[:6] == [
        "2:3 the stage 'a' is not a mapping of keys to values",
        "3:3 the stage 'b' has `do` but no `foreach`",
        "4:3 the stage 'c' has `foreach` but no `do`",
        "5:3 a stage has `foreach` or `matrix`, not both",
        "6:6 the stage has no `cmd`",
        "7:3 `matrix` is a mapping of names to lists",
    ]


def test_types_that_dvc_would_stumble_over_later(tmp_path: Path) -> None:
    text = """\
    stages:
      a: {foreach: [5], do: {cmd: "${item}", deps: ["${item}"], wdir: "${item}"}}
      b: {foreach: [{x: 1}], do: {cmd: ["${item}"], outs: ["${item.x}", {"${item.x}": {}}, {o: }]}}
      c: {cmd: ls, params: [{p.yaml: x}, 5], metrics: 5, deps: x}
    """
    assert refusals(text, tmp_path) == [
        "2:31 5 stands where text or a list of texts is expected",
        "2:49 5 stands where text is expected",
        "2:67 5 stands where text is expected",
        "3:37 a mapping stands where text is expected",
        "3:56 1 stands where text or a mapping is expected",
        "3:69 the path 1 is not text; quote it",
        "3:92 nothing stands where a mapping of options is expected",
        "4:34 'x' stands where a list of parameters is expected",
        "4:38 5 stands where text or a mapping is expected",
        "4:51 5 stands where a list is expected",
        "4:60 'x' stands where a list is expected",
    ]


@pytest.mark.parametrize(
    ("vars_", "params", "message"),
    [
        ("[missing.yaml]", "", "'missing.yaml' does not exist"),
        ("[{a: 1}, {a: 2}]", "", "cannot redefine 'a' from 'vars[1]' as it already exists in 'vars[0]'"),
        ("['params.yaml:b']", "a: 1", "partially load"),
        ("[{b: 1}]", "- a list", "expected a dictionary, got 'CommentedSeq'"),
        ("[{b: 1}]", "a: [", "YAML file structure is corrupted"),
        ("[{b: 1}]", "when: 2026-01-01", "Unsupported value of type 'date' in 'params.yaml:when'"),
    ],
)
def test_vars_that_dvc_can_not_read(
    vars_: str, params: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(params or "{}")
    (problem,) = refusals(f"vars: {vars_}\nstages: {{a: {{cmd: ls}}}}\n", tmp_path)
    assert problem.startswith("1:7 DVC can't read it: ")
    assert message.replace("CommentedSeq", "list") in problem.replace("CommentedSeq", "list")


def test_a_dvc_that_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dvc.parsing

    monkeypatch.delattr(dvc.parsing, "DataResolver")
    file = tmp_path / "dvc.yaml"
    file.write_text("vars: [{a: 1}]\nstages: {s: {cmd: 'echo ${a}'}}\n")
    with pytest.raises(WorkspaceError, match=r"pip install 'dvc>=3\.50,<4'"):
        ours(file)


def test_a_thousand_stages_take_no_time() -> None:
    items = ", ".join(f"{{name: n{n}, size: {n}}}" for n in range(1000))
    stage = "{cmd: 'run ${item.name}', deps: ['in/${item.size}'], outs: ['out/${item.name}']}"
    text = f"stages: {{s: {{foreach: [{items}], do: {stage}}}}}"
    document = parse(text, "dvc.yaml")
    seconds = []
    for _ in range(3):  # the best of three: other tests' garbage may be collected in between
        started = time.thread_time()
        assert len(list(expand(document.value, Path("dvc.yaml"), document))) == 1000
        seconds.append(time.thread_time() - started)
    assert min(seconds) < 0.2
