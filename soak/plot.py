"""Draws series over time as an SVG, one panel below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
import math

WIDTH = 860
PANEL = 120
"""Height of a panel's plot."""
GAP = 54
LEFT = 64
RIGHT = 30
TOP = 30

STEPS_UP = 4
STEPS_ALONG = 8
"""Steps of the axes at most, about."""

_STYLE = """\
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .warm { fill: #eaeef2; }
  .line { fill: none; stroke-width: 1.5; }
  .a { stroke: #0969da; } .b { stroke: #bc4c00; }
  text.a { fill: #0969da; stroke: none; } text.b { fill: #bc4c00; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #d0d7de; }
    .grid { stroke: #3d444d; }
    .warm { fill: #21262d; }
    .a { stroke: #58a6ff; } .b { stroke: #f0883e; }
    text.a { fill: #58a6ff; } text.b { fill: #f0883e; }
  }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A series, and what it is called."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Panel:
    """Up to two series that share a vertical axis."""

    title: str
    lines: Sequence[Line]
    from_zero: bool = True


def draw(
    panels: Sequence[Panel], seconds: Sequence[float], warm_up: float, title: str
) -> str:
    """Return the SVG.

    Args:
        panels: from top to bottom.
        seconds: when the values were measured.
        warm_up: seconds at the beginning that are shaded.
        title: read out to those who cannot see it.

    """
    height = TOP + len(panels) * (PANEL + GAP)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            ' role="img">'
        ),
        f"<title>{escape(title)}</title>",
        f"<style>\n{_STYLE}</style>",
    ]
    for place, panel in enumerate(panels):
        parts += _draw_panel(panel, seconds, warm_up, TOP + place * (PANEL + GAP))
    return "\n".join([*parts, "</svg>", ""])


def ticks(lowest: float, highest: float, steps: int = STEPS_UP) -> list[float]:
    """Return round numbers from one that is not above the lowest to one not below."""
    span = highest - lowest or 1
    step = 10 ** math.floor(math.log10(span / steps))
    step *= next(times for times in (1, 2, 5, 10) if times * step * steps >= span)
    first, last = math.floor(lowest / step), math.ceil(highest / step)
    return [
        round(number * step, 9) for number in range(first, max(last, first + 1) + 1)
    ]


def _draw_panel(
    panel: Panel, seconds: Sequence[float], warm_up: float, top: float
) -> list[str]:
    """Return the elements of a panel whose plot begins there."""
    values = [value for line in panel.lines for value in line.values]
    marks = ticks(0 if panel.from_zero else min(values), max(values))
    minutes = ticks(0, max(seconds) / 60, STEPS_ALONG)
    bottom, right = top + PANEL, WIDTH - RIGHT

    def x(at: float) -> float:
        return LEFT + (right - LEFT) * at / (minutes[-1] * 60)

    def y(value: float) -> float:
        return bottom - PANEL * (value - marks[0]) / (marks[-1] - marks[0])

    parts = [
        (
            f'<rect class="warm" x="{LEFT}" y="{top}" width="{x(warm_up) - LEFT:.1f}"'
            f' height="{PANEL}"/>'
        ),
        f'<text class="title" x="{LEFT}" y="{top - 9}">{escape(panel.title)}</text>',
    ]
    for mark in marks:
        parts += [
            (
                f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y(mark):.1f}"'
                f' y2="{y(mark):.1f}"/>'
            ),
            (
                f'<text x="{LEFT - 8}" y="{y(mark) + 4:.1f}" text-anchor="end">'
                f"{mark:,.10g}</text>"
            ),
        ]
    parts += [
        f'<text x="{x(mark * 60):.1f}" y="{bottom + 17}" text-anchor="middle">'
        f"{mark:g}{' min' if mark == minutes[-1] else ''}</text>"
        for mark in minutes
    ]
    for place, (letter, line) in enumerate(zip("ab", panel.lines, strict=False)):
        points = " ".join(
            f"{x(at):.1f},{y(value):.1f}"
            for at, value in zip(seconds, line.values, strict=True)
        )
        parts += [
            f'<polyline class="line {letter}" points="{points}"/>',
            (
                f'<text class="{letter}" x="{right - 120 * place}" y="{top - 9}"'
                f' text-anchor="end">{escape(line.name)}</text>'
            ),
        ]
    return parts
