"""DVC's configuration, as far as plain stages need it; anything unusual in it leaves them to DVC's own objects."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PLAIN_LINKS = {"reflink,copy", "copy"}


@dataclass(frozen=True)
class Settings:
    """What DVC's four configuration files say together."""

    cache: Path
    """The folder of the cache (`cache.dir`)."""
    site_cache: Path
    """Where DVC keeps its databases of hashes and links."""
    autostage: bool
    no_scm: bool
    hardlink_lock: bool
    plain_cache: bool
    """Whether files in the cache are copies, owned by nobody but the user: DVC's default."""
    links: tuple[str, ...] = ("reflink", "copy")
    """The kinds of link from the workspace to the cache (`cache.type`), the first that this disk can."""

    @classmethod
    def read(cls, root: Path) -> Settings:
        """The settings of the repository at `root`."""
        values: dict[tuple[str, str], tuple[str, Path]] = {}
        understood = True
        for file in _files(root):
            try:
                for section, key, value in _read(file):
                    values[section, key] = value, file
            except (configparser.Error, UnicodeDecodeError):
                understood = False

        def text(section: str, key: str, default: str = "") -> str:
            return values.get((section, key), (default, root))[0]

        def switch(key: str) -> bool:
            return text("core", key).lower() in ("true", "1", "yes", "on")

        cache, said_in = values.get(("cache", "dir"), ("", root))
        links = text("cache", "type", "reflink,copy").replace(" ", "").replace('"', "")
        other = {key for section, key in values if section == "cache"} - {"dir", "type", "slow_link_warning"}
        return cls(
            cache=_beside(said_in, cache) if cache else root / ".dvc" / "cache",
            site_cache=Path(
                os.environ.get("DVC_SITE_CACHE_DIR")
                or text("core", "site_cache_dir")
                or _default_site_cache()
            ),
            autostage=switch("autostage"),
            no_scm=switch("no_scm"),
            hardlink_lock=switch("hardlink_lock"),
            links=tuple(links.split(",")),
            plain_cache=understood and not other and links in _PLAIN_LINKS and "://" not in cache,
        )


def _files(root: Path) -> Iterator[Path]:
    """In the order in which later ones win."""
    if sys.platform == "linux":
        system = Path((os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")[0]) / "dvc"
        user = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dvc"
    else:
        import platformdirs

        system = Path(platformdirs.site_config_dir("dvc", "iterative"))
        user = Path(platformdirs.user_config_dir("dvc", "iterative"))
    yield Path(os.environ.get("DVC_SYSTEM_CONFIG_DIR") or system) / "config"
    yield Path(os.environ.get("DVC_GLOBAL_CONFIG_DIR") or user) / "config"
    yield root / ".dvc" / "config"
    yield root / ".dvc" / "config.local"


def _read(file: Path) -> Iterator[tuple[str, str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return
    parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    for section in parser.sections():
        for key, value in parser.items(section):
            yield section.lower(), key.lower(), value.strip("\"'")


def _beside(file: Path, path: str) -> Path:
    return Path(os.path.normpath(file.parent / Path(path).expanduser()))


def _default_site_cache() -> str:
    if sys.platform == "linux":
        return "/var/tmp/dvc"
    from dvc.dirs import site_cache_dir

    return str(site_cache_dir())


def remote_of(root: Path, name: str | None) -> tuple[str | None, dict[str, str] | None]:
    """The name of a remote (DVC's default one for None) and what the configuration says of it.

    A path in its `url` is absolute, as DVC has it: relative to the file that says it. None where nothing is said.
    """
    remotes: dict[str, dict[str, str]] = {}
    default: str | None = None
    for file in _files(root):
        try:
            said = list(_read(file))
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section, key, value in said:
            if (section, key) == ("core", "remote"):
                default = value
            kind, _, rest = section.strip("'\"").partition(" ")
            if kind == "remote" and rest:
                beside = key == "url" and "://" not in value and not os.path.isabs(value)
                text = str(_beside(file, value)) if beside else value
                remotes.setdefault(rest.strip("'\" "), {})[key] = text
    name = name or default
    return name, remotes.get((name or "").lower())
