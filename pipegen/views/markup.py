"""Text of users on a page. The one place that makes it harmless there."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pipegen.targets.templates import FOLDERS
from pipegen.views.plain import plain

if TYPE_CHECKING:
    from jinja2 import Environment

_SCHEME = re.compile(r"[^/?#]*:")


@cache
def environment() -> Environment:
    """The templates' environment: whatever a template prints is escaped, and what can't be seen is shown."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([base / "view" for base in FOLDERS if base.is_dir()]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=True,
        finalize=_harmless,
        auto_reload=False,
    )


def _harmless(value: Any) -> Any:
    """Text of the page itself is `Markup` by now; everything else may come from anywhere."""
    return plain(value) if type(value) is str else value


def address(url: str, up: str = "") -> str:
    """Where a link may lead: over http or https, or to a path; empty for anything else (`javascript:` …).

    Args:
        url: what was said.
        up: put before a path: the way from the page to what the path is relative to.
    """
    if url.lower().startswith(("http://", "https://")):
        return url
    if not url or not url.isprintable() or url[0] in "/\\ " or _SCHEME.match(url):
        return ""
    from urllib.parse import quote

    return up + quote(url, safe="/@")


def asset(name: str) -> str:
    """The text of a style sheet or script, without what would end its element."""
    found = next(base / "view" / name for base in FOLDERS if (base / "view" / name).is_file())
    return found.read_text(encoding="utf-8")
