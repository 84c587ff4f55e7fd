"""A stage as DVC sees it after expansion: plain data with absolute paths, read without importing DVC."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_PARAMS = "params.yaml"
_OUT_WORDS = ("outs", "metrics", "plots")


@dataclass(frozen=True)
class Out:
    """One output of a stage."""

    path: str
    """As written, relative to the stage's working folder."""
    target: str
    """Absolute; as written where it is a URL."""
    kind: str
    """`outs`, `metrics` or `plots`."""
    cache: bool = True
    persist: bool = False
    push: bool = True

    @property
    def is_local(self) -> bool:
        return "://" not in self.path


@dataclass(frozen=True)
class Dep:
    """One path a stage reads."""

    path: str
    target: str

    @property
    def is_local(self) -> bool:
        return "://" not in self.path


@dataclass(frozen=True)
class Params:
    """The parameters a stage reads from one file; no keys means the whole file."""

    path: str
    target: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One stage of a `dvc.yaml`, or a `.dvc` file, which DVC calls a stage too."""

    address: str
    """As DVC spells it from the workspace's folder: `train@lasso`, `prep/dvc.yaml:train@lasso`, `data/raw.csv.dvc`."""
    file: str
    """Absolute path of the `dvc.yaml` or `.dvc` file."""
    name: str
    """The name within its file; empty for a `.dvc` file."""
    wdir: str
    """Absolute."""
    cmd: str | list[str] | None
    deps: tuple[Dep, ...] = ()
    params: tuple[Params, ...] = ()
    outs: tuple[Out, ...] = ()
    frozen: bool = False
    always_changed: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The words it was read from, for DVC's own loader."""

    @property
    def lock_file(self) -> str:
        """The lock file its result is written to; empty for a `.dvc` file, which holds its result itself."""
        return self.file[: -len(".yaml")] + ".lock" if self.name else ""

    @property
    def is_callback(self) -> bool:
        """Without deps and outs a command always runs (DVC's word and rule)."""
        return bool(self.cmd) and not (self.deps or self.params or self.outs)

    @property
    def reads(self) -> Iterator[str]:
        """Absolute paths it reads: deps, then parameter files, in the order written."""
        yield from (dep.target for dep in self.deps if dep.is_local)
        yield from (params.target for params in self.params)

    @property
    def writes(self) -> Iterator[str]:
        """Absolute paths it writes, in the order written."""
        return (out.target for out in self.outs if out.is_local)

    @property
    def commands(self) -> list[str]:
        """One shell process each: a list's items, or a text's lines (DVC's rule)."""
        if isinstance(self.cmd, list):
            return [str(command) for command in self.cmd]
        return (self.cmd or "").splitlines()


def pipeline_stage(address: str, file: str, name: str, definition: Mapping[str, Any]) -> Stage:
    """A stage out of its expanded words in a `dvc.yaml`."""
    wdir = _absolute(os.path.dirname(file), definition.get("wdir") or ".")
    meta = definition.get("meta")
    return Stage(
        address,
        file,
        name,
        wdir,
        definition["cmd"],
        deps=tuple(Dep(path, _absolute(wdir, path)) for path in dict.fromkeys(definition.get("deps") or ())),
        params=tuple(
            Params(path, _absolute(wdir, path), tuple(keys))
            for path, keys in _params(definition.get("params") or ())
        ),
        outs=tuple(_outs(wdir, definition)),
        frozen=bool(definition.get("frozen")),
        always_changed=bool(definition.get("always_changed")),
        meta=meta if isinstance(meta, Mapping) else {},
        definition=definition,
    )


def single_stage(address: str, file: str, content: Mapping[str, Any]) -> Stage:
    """A stage out of a `.dvc` file."""
    wdir = _absolute(os.path.dirname(file), content.get("wdir") or ".")
    outs = [out for out in content.get("outs") or () if isinstance(out, Mapping)]
    deps = [dep for dep in content.get("deps") or () if isinstance(dep, Mapping)]
    return Stage(
        address,
        file,
        "",
        wdir,
        content.get("cmd"),
        deps=tuple(
            Dep(str(d["path"]), _absolute(wdir, str(d["path"])))
            for d in deps
            if "path" in d and "repo" not in d
        ),
        outs=tuple(
            Out(
                str(o["path"]),
                _absolute(wdir, str(o["path"])),
                "outs",
                bool(o.get("cache", True)),
                bool(o.get("persist")),
            )
            for o in outs
        ),
        frozen=bool(content.get("frozen") or content.get("locked")),
        always_changed=bool(content.get("always_changed")),
        definition=content,
    )


def _absolute(folder: str, path: str) -> str:
    return path if "://" in path else os.path.normpath(os.path.join(folder, path))


def _outs(wdir: str, definition: Mapping[str, Any]) -> Iterator[Out]:
    for kind in _OUT_WORDS:
        flags_of: dict[str, dict[str, Any]] = {}
        for item in definition.get(kind) or ():
            for path, flags in item.items() if isinstance(item, Mapping) else ((item, {}),):
                flags_of.setdefault(str(path), {}).update(flags if isinstance(flags, Mapping) else {})
        for path, flags in flags_of.items():
            yield Out(
                path,
                _absolute(wdir, path),
                kind,
                bool(flags.get("cache", True)),
                bool(flags.get("persist", False)),
                bool(flags.get("push", True)),
            )


def _params(items: Any) -> Iterator[tuple[str, list[str]]]:
    """File and keys, as DVC merges them: a file named without keys is read whole."""
    whole = {path for item in items if isinstance(item, Mapping) for path, keys in item.items() if not keys}
    found: dict[str, list[str]] = {}
    for item in items:
        for path, keys in item.items() if isinstance(item, Mapping) else ((DEFAULT_PARAMS, [item]),):
            known = found.setdefault(path, [])
            if path not in whole:
                known.extend(str(key) for key in keys)
    yield from found.items()
