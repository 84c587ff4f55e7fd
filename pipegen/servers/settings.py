"""Which servers there are and who we are there: `pipegen.toml`, environment, netrc, keyring.

The environment wins over the `pipegen.toml` that is nearest to the description, that over those in folders above it up
to the repository's root, and all over the user's own in `~/.config`. Tokens and passwords come from the environment,
netrc or the keyring alone; a file that holds one is refused.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipegen.description.reading import nearest
from pipegen.errors import Problem, ServerError, os_error
from pipegen.servers.connection import Connection, silent

FILE = "pipegen.toml"
WORDS: Mapping[str, type] = {"url": str, "user": str, "ca": str, "timeout": float, "at_once": int}
"""What a section `[servers.NAME]` may say."""
SECRETS = ("token", "password", "secret", "api_token", "apikey", "api_key", "access_token")


@dataclass(frozen=True)
class Settings:
    """What is known of each server, before who we are there is looked up."""

    by_server: Mapping[str, Mapping[str, Any]]

    @property
    def names(self) -> tuple[str, ...]:
        """The servers with an address."""
        return tuple(name for name, words in self.by_server.items() if words.get("url"))

    def connection(self, name: str, say: Callable[[str], None] = silent) -> Connection:
        """How to reach a server. Raises ServerError where its address is not known, or is none."""
        words = dict(self.by_server.get(name, {}))
        if not words.get("url"):
            raise ServerError(
                f"where is {name}? Set PIPEGEN_{name.upper()}_URL, or `url` under [servers.{name}] in {FILE}"
            )
        url = str(words["url"]).rstrip("/")
        if not re.match(r"https?://[^/]", url):
            raise ServerError(f"{url!r} is no address of a server: it begins with https:// or http://")
        if "@" in urlsplit(url).netloc:
            raise ServerError(f"the address of {name} holds a user or password: set these by themselves")
        words["url"] = url
        words.update(_credentials(name, url, str(words.get("user") or "")))
        return Connection(server=name, say=say, **words)


def settings(folder: Path, root: Path, known: tuple[str, ...]) -> Settings:
    """What files and environment say.

    Args:
        folder: the description's.
        root: the repository's, above which no file of it is looked for.
        known: the servers that there are clients for.

    Raises:
        ServerError: a file is wrong; the message says where.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in known}
    for path in _files(folder.resolve(), root.resolve()):
        for name, words in _read(path, known).items():
            found[name].update(words)
    for name in known:
        found[name].update(_environment(name))
    return Settings(found)


def choose(configured: tuple[str, ...], used: tuple[str, ...], wanted: str | None) -> str:
    """The server that is meant.

    Args:
        configured: those with an address.
        used: those that the description is generated for.
        wanted: the one that was named, if one was.

    Raises:
        ServerError: none is configured, or several and none was named.
    """
    if wanted:
        return wanted
    either = tuple(name for name in configured if name in used) or configured
    if len(either) == 1:
        return either[0]
    if either:
        raise ServerError(f"which server? {' and '.join(either)} are configured: say --server {either[0]}")
    names = " or ".join(f"PIPEGEN_{name.upper()}_URL" for name in used or ("jenkins", "gocd"))
    raise ServerError(f"no server is configured: set {names}, or `url` under [servers.NAME] in {FILE}")


# ---------------------------------------------------------------------------------------------- files


def _files(folder: Path, root: Path) -> list[Path]:
    """The least important first."""
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    inside = folder == root or root in folder.parents
    above = [f for f in (folder, *folder.parents) if inside and (f == root or root in f.parents)] or [folder]
    return [path for f in (home, *reversed(above)) if (path := f / FILE).is_file()]


def _read(path: Path, known: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError):
            raise os_error(error, "read", path) from None
        raise ServerError(f"{path} is not UTF-8") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ServerError(f"{path} is no TOML: {error}") from None
    servers = data.pop("servers", {})
    if data:
        raise _wrong(path, text, next(iter(data)), f"only [servers.NAME] may stand in {FILE}")
    if not isinstance(servers, dict):
        raise _wrong(path, text, "servers", "write a section for each server: [servers.jenkins]")
    return {name: _section(path, text, name, words, known) for name, words in servers.items()}


def _section(path: Path, text: str, name: str, words: Any, known: tuple[str, ...]) -> dict[str, Any]:
    if name not in known:
        raise _wrong(path, text, name, f"there is no server {name!r}; {nearest(name, known)}")
    if not isinstance(words, dict):
        raise _wrong(path, text, name, f"write a section: [servers.{name}]")
    for key, value in words.items():
        if key.lower() in SECRETS:
            variable = f"PIPEGEN_{name.upper()}_{'PASSWORD' if key == 'password' else 'TOKEN'}"
            message = f"a {key} has no place in a file: set {variable}, or put it into netrc or the keyring"
            raise _wrong(path, text, key, message, show=False)
        if key not in WORDS:
            raise _wrong(path, text, key, f"unknown word {key!r}; {nearest(key, WORDS)}")
        kind = (int, float) if WORDS[key] is float else WORDS[key]
        if isinstance(value, bool) or not isinstance(value, kind):
            raise _wrong(path, text, key, f"{key} must be {_SHOWN[WORDS[key]]}")
    found = dict(words)
    if "ca" in found:
        found["ca"] = str(path.parent / found["ca"])
    return found


_SHOWN = {str: "text in quotes", float: "a number", int: "a whole number"}


def _wrong(path: Path, text: str, word: str, message: str, *, show: bool = True) -> ServerError:
    """An error with the place at which `word` stands."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    for number, line in enumerate(text.splitlines(), 1):
        at = pattern.search(line)
        if at and not line.lstrip().startswith("#"):
            source = line if show else ""
            return ServerError(str(Problem(message, str(path), number, at.start() + 1, source)))
    return ServerError(str(Problem(message, str(path))))


# ---------------------------------------------------------------------------------------------- environment


def _environment(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word, kind in WORDS.items():
        variable = f"PIPEGEN_{name.upper()}_{word.upper()}"
        text = os.environ.get(variable)
        if text:
            try:
                found[word] = kind(text)
            except ValueError:
                raise ServerError(f"{variable} must be {_SHOWN[kind]}, not {text!r}") from None
    return found


def _credentials(name: str, url: str, user: str) -> dict[str, Any]:
    """Who we are: by environment, else netrc, else keyring; nobody where none of them knows."""
    for kind in ("token", "password"):
        secret = os.environ.get(f"PIPEGEN_{name.upper()}_{kind.upper()}", "").rstrip("\r\n")
        if secret:
            return {"user": user, "secret": secret, "kind": kind}
    return _netrc(url, user) or _keyring(url, user) or {"user": user}


def _netrc(url: str, user: str) -> dict[str, Any]:
    import netrc

    path = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")
    try:
        found = netrc.netrc(path).authenticators(urlsplit(url).hostname or "")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise os_error(error, "read", path) from None
    except netrc.NetrcParseError as error:
        raise ServerError(f"{path}:{error.lineno}: {error.msg}") from None
    if not found or not found[2] or (user and found[0] and found[0] != user):
        return {}
    return {"user": found[0] or user, "secret": found[2], "kind": "password" if found[0] or user else "token"}


def _keyring(url: str, user: str) -> dict[str, Any]:
    """`keyring set URL USER`; without a user, `keyring set URL token`."""
    try:
        import keyring
    except ImportError:
        return {}
    with contextlib.suppress(
        Exception
    ):  # no desktop, a locked store, somebody's backend: then it knows nothing
        secret = keyring.get_password(url, user or "token")
        if secret:
            return {"user": user, "secret": secret, "kind": "password" if user else "token"}
    return {}
