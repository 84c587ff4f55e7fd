"""The graph drawn for people: as text, as Mermaid for pages that render it, as dot for Graphviz."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipegen.plan.graph import Graph
from pipegen.views.fold import fold
from pipegen.views.lanes import ASCII, lanes, width
from pipegen.views.plain import count, plain

FOLD_ABOVE = 40
"""Names above which a drawing as text folds groups unless told otherwise."""
WIDEST = 40
"""Columns of lanes above which nobody can follow them: levels are listed instead."""
NEEDS_SHOWN = 6


@dataclass(frozen=True)
class Drawing:
    """What is drawn."""

    title: str
    graph: Graph
    groups: Mapping[str, str] = field(default_factory=dict)
    """For each item of a foreach or matrix its group."""
    noun: str = "stage"
    """What a name is: `stage` or `job`."""
    every_need: bool = False
    """Draw also needs that others imply."""
    folded: bool | None = None
    """Draw each group as one; None folds as text, and only above `FOLD_ABOVE` names."""


@dataclass(frozen=True)
class _Shown:
    """The graph that is really drawn."""

    graph: Graph
    sizes: Mapping[str, int]

    def label(self, name: str) -> str:
        size = self.sizes.get(name)
        return f"{name} ({size})" if size else name


def _shown(drawing: Drawing, *, folded: bool) -> _Shown:
    found = fold(drawing.graph, drawing.groups if folded else {})
    return _Shown(found.graph if drawing.every_need else found.graph.reduced(), found.sizes)


def text(
    drawing: Drawing, *, columns: int = 80, ascii_only: bool = False, paint: Callable[[str], str] = str
) -> str:
    """The drawing for a terminal: lanes, or a list of levels where lanes would be too wide.

    Args:
        drawing: what is drawn.
        columns: the terminal's width; names are never cut.
        ascii_only: draw with signs that every terminal has.
        paint: puts colour around the lanes.
    """
    by_itself = drawing.folded is None and len(drawing.graph) > FOLD_ABOVE
    shown = _shown(drawing, folded=bool(drawing.folded) or by_itself)
    rows = lanes(shown.graph)
    room = width(rows)
    lines = [_heading(drawing)]
    if room <= min(WIDEST, columns // 2):
        for row in rows:
            signs = f"{row.signs:<{room}}" if row.name is not None else row.signs
            signs = paint(signs.translate(ASCII) if ascii_only else signs)
            lines.append(f"{signs}  {plain(shown.label(row.name))}" if row.name is not None else signs)
    else:
        lines += _listed(shown, columns, paint)
    if by_itself and shown.sizes:
        names = count(sum(shown.sizes.values()), drawing.noun)
        lines += ["", f"{names} of {count(len(shown.sizes), 'group')} folded; --no-fold draws each"]
    return "\n".join(lines) + "\n"


def _heading(drawing: Drawing) -> str:
    levels = drawing.graph.levels
    if not levels:
        return f"{plain(drawing.title)}: no {drawing.noun}s"
    most = max(map(len, levels))
    size = f"{count(len(drawing.graph), drawing.noun)} in {count(len(levels), 'level')}"
    return f"{plain(drawing.title)}: {size}, at most {most} at once\n"


def _listed(shown: _Shown, columns: int, paint: Callable[[str], str]) -> Iterator[str]:
    """Level by level; names that need the same stand together."""
    for number, level in enumerate(shown.graph.levels, 1):
        together: dict[tuple[str, ...], list[str]] = {}
        for name in level:
            together.setdefault(shown.graph.needs(name), []).append(name)
        yield paint(f"level {number}")
        for needs, names in together.items():
            more = [f"{len(needs) - NEEDS_SHOWN} more"] if len(needs) > NEEDS_SHOWN else []
            after = ", ".join([*(plain(shown.label(need)) for need in needs[:NEEDS_SHOWN]), *more])
            these = ", ".join(plain(shown.label(name)) for name in names)
            if after and len(these) + len(after) + 10 <= columns:
                yield f"  {these}  {paint(f'after {after}')}"
                continue
            yield _wrapped(these, columns, "  ")
            if after:
                yield paint(_wrapped(after, columns, "    after "))


def _wrapped(names: str, columns: int, indent: str) -> str:
    return textwrap.fill(
        names,
        columns,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )


def mermaid(drawing: Drawing) -> str:
    """The drawing as a Mermaid flowchart."""
    shown = _shown(drawing, folded=bool(drawing.folded))
    ids = {name: f"n{index}" for index, name in enumerate(shown.graph)}
    lines = [f'  {ids[name]}["{mermaid_text(shown.label(name))}"]' for name in shown.graph]
    lines += [f"  {ids[need]} --> {ids[name]}" for name in shown.graph for need in shown.graph.needs(name)]
    return "\n".join(["flowchart TD", *lines]) + "\n"


_NOT_FOR_MERMAID = re.compile(r"(?<![^\W_])[_.-]|[_.-](?![^\W_])|[^\w ./,()@-]")
"""All but letters, digits and harmless signs; `_`, `.`, `-` are harmless inside a word."""


def mermaid_text(text: str) -> str:
    """Text between the quotes of a Mermaid label, what might mean something there as `#code;`.

    That is quotes, brackets, HTML, Markdown and Mermaid's own entities; and the colon, since on a line that looks like
    `style…:` Mermaid spoils the entities.
    """
    return _NOT_FOR_MERMAID.sub(lambda found: f"#{ord(found[0])};", plain(text))


def dot(drawing: Drawing) -> str:
    """The drawing as a directed graph in Graphviz' language."""
    shown = _shown(drawing, folded=bool(drawing.folded))
    ids = {name: f"n{index}" for index, name in enumerate(shown.graph)}
    lines = [
        f"digraph {dot_text(drawing.title)} {{",
        '  node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    lines += [f"  {ids[name]} [label={dot_text(shown.label(name))}];" for name in shown.graph]
    lines += [f"  {ids[need]} -> {ids[name]};" for name in shown.graph for need in shown.graph.needs(name)]
    return "\n".join([*lines, "}"]) + "\n"


def dot_text(text: str) -> str:
    r"""Text as a quoted string of dot that is also a label: `\N` and HTML's entities mean nothing in it."""
    escaped = plain(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
