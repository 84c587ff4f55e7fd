"""The templates' environment: strict, and without escaping of its own, since each format escapes in its own filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).resolve().parent.parent
FOLDERS = (_HERE / "_templates", _HERE.parent / "templates")
"""In an installed wheel, and in a checkout."""


@cache
def environment(folder: str, filters: tuple[tuple[str, Callable[..., Any]], ...]) -> Environment:
    """The environment for the templates of one target.

    Args:
        folder: their folder within `templates/`.
        filters: by name; the target's one place of escaping.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    class KeysFirst(Environment):
        """`job.timeout` of a dict is its key; Jinja asks for an attribute first, which here is never meant."""

        def getattr(self, obj: Any, attribute: str) -> Any:
            if isinstance(obj, dict) and attribute in obj:
                return obj[attribute]
            return super().getattr(obj, attribute)

    made = KeysFirst(
        loader=FileSystemLoader([base / folder for base in FOLDERS if base.is_dir()]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        auto_reload=False,
    )
    made.filters.update(dict(filters))
    return made


def render(folder: str, template: str, filters: Mapping[str, Callable[..., Any]], /, **values: Any) -> str:
    """One template's text with `values` filled in."""
    return environment(folder, tuple(filters.items())).get_template(template).render(**values).lstrip("\n")
