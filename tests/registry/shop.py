"""A description with a model, gates and an environment, whose repository has a server: a bare repository."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cli import Outcome, pipegen
from tests.support.repositories import sh

DESCRIPTION = """\
pipegen: 1
name: toy
targets: {jenkins: {}}
stages:
  train:
    cmd: "cp seed.txt model.txt && cp seed.txt m.json"
    deps: [seed.txt]
    outs: [model.txt]
    metrics: [m.json]
models: {toy: {path: model.txt}}
gates: {good: {metric: "m.json:r2", min: 0.5}}
environments:
  production:
    deploy: ./deploy.sh
    verify: '! grep -q "bad" "$WHERE/now"'
    rollback:
      - test ! -e "$WHERE/stuck"
      - 'test ! -e "$WHERE/before" || cp "$WHERE/before" "$WHERE/now"'
      - echo rollback >> "$WHERE/log"
  plain: {deploy: './deploy.sh', verify: '! grep -q "bad" "$WHERE/now"'}
workflows: {push: {on: {push: {branches: [main]}}, gates: all}}
"""
DEPLOY = """\
#!/bin/sh
# what is in service is the file "now"; a second deployment beside this one would find its mark
set -e
mkdir "$WHERE/busy"
sleep "${SLOW:-0}"
cp "$WHERE/now" "$WHERE/before" 2>/dev/null || :
cp "$PIPEGEN_MODEL_PATH" "$WHERE/now"
echo "$PIPEGEN_VERSION over ${PIPEGEN_BEFORE:-nothing} in $PIPEGEN_ENVIRONMENT" >> "$WHERE/log"
rmdir "$WHERE/busy"
"""
CONFIG = """\
[core]
    analytics = false
    remote = store
['remote "store"']
    url = ../../remote
"""


@dataclass(frozen=True)
class Shop:
    """All of it, below one folder.

    Args:
        folder: has `origin`, the server's repository; `here`, a clone; `remote`, DVC's; `service`, what is deployed.
    """

    folder: Path

    @property
    def origin(self) -> Path:
        return self.folder / "origin"

    @property
    def here(self) -> Path:
        return self.folder / "here"

    @property
    def remote(self) -> Path:
        return self.folder / "remote"

    @property
    def service(self) -> Path:
        return self.folder / "service"

    @classmethod
    def found(cls, folder: Path, template: Path) -> Shop:
        """A new one, with a first commit."""
        shop = cls(folder)
        folder.mkdir()
        sh(folder, "git", "init", "-q", "--bare", "-b", "main", "origin")
        shutil.copytree(template, shop.here, symlinks=True)
        shop.service.mkdir()
        sh(shop.here, "git", "branch", "-M", "main")
        sh(shop.here, "git", "remote", "add", "origin", "../origin")
        for who in ("name", "email"):
            sh(shop.here, "git", "config", f"user.{who}", "ann@example.com")
        (shop.here / ".dvc" / "config").write_text(CONFIG)
        (shop.here / "pipegen.yaml").write_text(DESCRIPTION)
        (shop.here / "deploy.sh").write_text(DEPLOY)
        (shop.here / "deploy.sh").chmod(0o755)
        assert shop("generate", "-t", "dvc").code == 0
        shop.commit(r2=0.8)
        return shop

    def copy(self, folder: Path) -> Shop:
        """The same elsewhere; all addresses in it are relative."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Shop(folder)

    def clone(self, name: str) -> Path:
        """Another clone, beside this one."""
        sh(self.folder, "git", "clone", "-q", str(self.origin), name)
        for who in ("name", "email"):
            sh(self.folder / name, "git", "config", f"user.{who}", f"{name}@example.com")
        return self.folder / name

    def __call__(self, *words: str, at: Path | None = None, **env: str) -> Outcome:
        """`pipegen WORDS` in the clone."""
        before = dict(os.environ)
        os.environ.update({"WHERE": str(self.service), **env})
        try:
            return pipegen(*words, cwd=at or self.here)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def commit(self, **scores: Any) -> None:
        """A commit whose model and metrics are these, pushed."""
        (self.here / "seed.txt").write_text(json.dumps(scores))
        sh(self.here, "git", "add", "-A")
        sh(self.here, "git", "commit", "-qm", json.dumps(scores))
        sh(self.here, "git", "push", "-q", "origin", "main")

    def make(self, *options: str, **scores: Any) -> str:
        """A version of a commit with these metrics; its name."""
        if scores:
            self.commit(**scores)
        assert self("run").code == 0
        self("gate")
        done = self("register", "toy", "--json", *options)
        assert done.code == 0, done.text
        return str(json.loads(done.out)["version"])

    def deployed(self) -> list[str]:
        """What the commands of environments wrote, line by line."""
        log = self.service / "log"
        return log.read_text().splitlines() if log.exists() else []

    def serving(self, environment: str = "production") -> str | None:
        """The version that tags say is there."""
        (model,) = json.loads(self("models", "--json").out)
        found = model["environments"].get(environment)
        return None if found is None else str(found)

    def tags(self) -> list[str]:
        """All of the server."""
        return sh(self.origin, "git", "tag").split()
