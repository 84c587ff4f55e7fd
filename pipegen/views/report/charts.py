"""Charts as shapes: where lines, points, bars and ticks of a drawing lie. The page's template makes SVG of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipegen.records.report import Chart, Series

WIDTH, HEIGHT = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 12, 12, 44
_BAR = 26
_MOST_BARS = 24
_MOST_LABEL = 22
COLOURS = ("#0860c4", "#c4500a", "#1a7f37", "#7a3fd0", "#a8326b", "#5d6670", "#0a7f88", "#8a5a00")


@dataclass(frozen=True)
class Tick:
    """A line of the grid, and the word at it."""

    at: float
    word: str


@dataclass(frozen=True)
class Bar:
    """One bar, from left to right."""

    y: float
    x: float
    width: float
    label: str
    value: str


@dataclass(frozen=True)
class Drawn:
    """A chart, ready to be put down."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    x: str
    y: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[tuple[str, str, str], ...] = ()
    """Name, colour and path of each series."""
    dots: tuple[tuple[str, str, tuple[tuple[float, float], ...]], ...] = ()
    """The same with places of points."""
    bars: tuple[Bar, ...] = ()
    more: int = 0
    """Bars that are left out."""


def drawn(chart: Chart) -> Drawn:
    """Where everything of a chart lies."""
    return _bars(chart) if chart.shape == "bar" else _axes(chart)


def spark(values: Sequence[float], width: float = 96, height: float = 20) -> str:
    """The points of a small line, for `polyline`."""
    low, high = min(values), max(values)
    step = (width - 6) / max(1, len(values) - 1)
    size = (high - low) or 1.0
    return " ".join(
        f"{3 + index * step:.1f},{_round(height - 3 - ((value - low) / size if high > low else 0.5) * (height - 6))}"
        for index, value in enumerate(values)
    )


def _axes(chart: Chart) -> Drawn:
    points = [point for series in chart.series for point in series.points]
    x_low, x_high, x_ticks = _scale([x for x, _ in points], 6)
    y_low, y_high, y_ticks = _scale([y for _, y in points], 5)
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_low) / (x_high - x_low)
        up = (y - y_low) / (y_high - y_low)
        return _round(_LEFT + across * (right - _LEFT)), _round(bottom - up * (bottom - _TOP))

    named = [(series, COLOURS[index % len(COLOURS)]) for index, series in enumerate(chart.series)]
    is_line = chart.shape == "line"
    return Drawn(
        WIDTH,
        HEIGHT,
        _LEFT,
        _TOP,
        right,
        bottom,
        chart.x,
        chart.y,
        tuple(Tick(place(at, y_low)[0], _word(at, chart)) for at in x_ticks if x_low <= at <= x_high),
        tuple(Tick(place(x_low, at)[1], _tick(at)) for at in y_ticks if y_low <= at <= y_high),
        lines=tuple((each.name, colour, _path(each, place)) for each, colour in named) if is_line else (),
        dots=()
        if is_line
        else tuple(
            (each.name, colour, tuple(place(*point) for point in each.points)) for each, colour in named
        ),
    )


def _path(series: Series, place: object) -> str:
    assert callable(place)
    return " ".join(
        f"{'M' if index == 0 else 'L'}{x} {y}"
        for index, (x, y) in enumerate(place(*point) for point in series.points)
    )


def _bars(chart: Chart) -> Drawn:
    series = chart.series[0]
    shown = series.points[:_MOST_BARS]
    left, right = 170.0, WIDTH - 80.0
    low = min([0.0, *(value for value, _ in shown)])
    high = max([0.0, *(value for value, _ in shown)])
    size = (high - low) or 1.0

    def across(value: float) -> float:
        return left + (value - low) / size * (right - left)

    bars = tuple(
        Bar(
            _round(_TOP + index * _BAR),
            _round(min(across(0), across(value))),
            max(1.0, _round(abs(across(value) - across(0)))),
            _cut(_word(place, chart)),
            _tick(value),
        )
        for index, (value, place) in enumerate(shown)
    )
    bottom = _TOP + len(bars) * _BAR
    return Drawn(
        WIDTH, bottom + 26, left, _TOP, right, bottom, chart.x, "", (), (), bars=bars,
        more=len(series.points) - len(shown),
    )  # fmt: skip


def _scale(values: Sequence[float], many: int) -> tuple[float, float, list[float]]:
    """The ends of an axis, and round numbers between them."""
    low, high = min(values), max(values)
    if high <= low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    rough = (high - low) / many
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next((power * each for each in (1, 2, 5) if power * each >= rough), power * 10)
    pad = (high - low) * 0.03
    if step <= 0 or not math.isfinite(step) or (high - low) / step > 50:
        return low - pad, high + pad, [low, high]
    first = math.ceil(low / step)
    ticks = [(first + index) * step for index in range(int((high - low) / step) + 1)]
    return low - pad, high + pad, ticks


def _word(at: float, chart: Chart) -> str:
    """A tick's word: that of a label where the axis is of words."""
    if not chart.labels:
        return _tick(at)
    return _cut(chart.labels[int(at)]) if at == int(at) and 0 <= int(at) < len(chart.labels) else ""


def _tick(value: float) -> str:
    value = 0.0 if abs(value) < 1e-300 else value
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2g}"
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _cut(word: str) -> str:
    return word if len(word) <= _MOST_LABEL else f"{word[: _MOST_LABEL - 1]}…"


def _round(value: float) -> float:
    return round(value, 1)
