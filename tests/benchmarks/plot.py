"""Draws a plot with logarithmic axes as SVG, without a library: a few lines, their points, and a legend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 40, 50
_COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve; points are (x, y), both above 0."""

    name: str
    points: Sequence[tuple[float, float]]


def write_plot(path: Path, *, title: str, x: str, y: str, lines: Sequence[Line]) -> None:
    """Write the plot; axes span whole decades."""
    points = [point for line in lines for point in line.points]
    xs, ys = _decades([point[0] for point in points]), _decades([point[1] for point in points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 20, title, size=15),
        _text(_WIDTH / 2, _HEIGHT - 10, x),
        f'<g transform="translate(16 {_HEIGHT / 2}) rotate(-90)">{_text(0, 0, y)}</g>',
    ]
    for power in range(xs[0], xs[1] + 1):
        at = _x(10**power, xs)
        parts.append(_rule(at, _TOP, at, _HEIGHT - _BOTTOM))
        parts.append(_text(at, _HEIGHT - _BOTTOM + 18, _number(power)))
    for power in range(ys[0], ys[1] + 1):
        at = _y(10**power, ys)
        parts.append(_rule(_LEFT, at, _WIDTH - _RIGHT, at))
        parts.append(_text(_LEFT - 8, at + 4, _number(power), anchor="end"))
    for number, line in enumerate(lines):
        parts += _curve(line, _COLOURS[number % len(_COLOURS)], xs, ys, legend_y=_TOP + 18 * (number + 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _curve(line: Line, colour: str, xs: tuple[int, int], ys: tuple[int, int], *, legend_y: float) -> list[str]:
    places = [(_x(x, xs), _y(y, ys)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places),
        f'<circle cx="{_LEFT + 16}" cy="{legend_y - 4}" r="3.5" fill="{colour}"/>',
        _text(_LEFT + 26, legend_y, line.name, anchor="start"),
    ]


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _x(value: float, span: tuple[int, int]) -> float:
    return _LEFT + (math.log10(value) - span[0]) / (span[1] - span[0]) * (_WIDTH - _LEFT - _RIGHT)


def _y(value: float, span: tuple[int, int]) -> float:
    height = _HEIGHT - _TOP - _BOTTOM
    return _HEIGHT - _BOTTOM - (math.log10(value) - span[0]) / (span[1] - span[0]) * height


def _number(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#d8dee4"/>'


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
