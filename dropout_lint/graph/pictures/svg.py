"""Draw the outline of a traced model as an SVG picture; igraph places the nodes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from xml.sax.saxutils import escape

from dropout_lint.graph.pictures.outline import Drawing, Outline, RepeatedBlocks, ShownLayer, outline

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 190, 34, 225, 58, 60
_CHARACTER = 6.6
_COLOURS = {"": ("#f5f6f8", "#9aa3ad"), "drops": ("#fff3c4", "#c99a06"), "flagged": ("#ffd9d6", "#c5221f")}
_STYLE = "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}.s{font-size:10px;fill:#59636e}"
Point = tuple[float, float]


def svg(name: str, drawing: Drawing) -> str:
    """The picture as SVG text. Raises ImportError if igraph is not installed."""
    shown = outline(drawing)
    nodes, edges = _placed(shown.layers)
    frames = [_frame(run, path, shown, nodes) for path, run in shown.repeated.items()]
    width = max([x for x, _ in nodes.values()] + [x for way in edges for x, _ in way], default=0) + 2 * _WIDTH
    height = max((y for _, y in nodes.values()), default=0) + _HEIGHT + 2 * _MARGIN
    flagged = sum(bool(s.codes) for s in shown.layers)
    title = f"{name}: {len(drawing.nodes)} operations, {flagged} flagged {'place' if flagged == 1 else 'places'}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}">',
            f"<style>{_STYLE}</style>",
            f'<rect width="{width:g}" height="{height:g}" fill="#ffffff"/>',
            f'<text x="20" y="28" style="font-size:15px">{escape(title)}</text>',
            *frames,
            *(_edge(way) for way in edges),
            *(_node(step, nodes[step.index]) for step in shown.layers),
            "</svg>",
            "",
        ]
    )


def _placed(shown: tuple[ShownLayer, ...]) -> tuple[dict[int, Point], list[list[Point]]]:
    """The upper left corner of each node by its index, and the points that each edge goes through."""
    import igraph

    position = {step.index: i for i, step in enumerate(shown)}
    ranks: list[int] = []
    for step in shown:
        ranks.append(1 + max((ranks[position[i]] for i in step.inputs), default=-1))
    pairs: list[tuple[int, int]] = []
    ways: list[list[int]] = []
    for step in shown:
        for source in step.inputs:
            way = [position[source]]
            # A vertex in every row between the two, so that the edge goes around the nodes in these rows.
            for row in range(ranks[position[source]] + 1, ranks[position[step.index]]):
                way.append(len(ranks))
                ranks.append(row)
            way.append(position[step.index])
            ways.append(way)
            pairs += itertools.pairwise(way)
    layout = igraph.Graph(len(ranks), pairs, directed=True).layout_sugiyama(layers=ranks, maxiter=200)
    left = min((x for x, _ in layout.coords), default=0)
    corners = [((x - left) * _ACROSS + _MARGIN, y * _DOWN + _MARGIN) for x, y in layout.coords]
    centres = [(x + _WIDTH / 2, y + _HEIGHT / 2) for x, y in corners]
    return {s.index: corners[position[s.index]] for s in shown}, [[centres[i] for i in way] for way in ways]


def _edge(way: list[Point]) -> str:
    points = [(way[0][0], way[0][1] + _HEIGHT / 2), *way[1:-1], (way[-1][0], way[-1][1] - _HEIGHT / 2)]
    path = f"M{points[0][0]:g},{points[0][1]:g}"
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        middle = (y1 + y2) / 2
        path += f" C{x1:g},{middle:g} {x2:g},{middle:g} {x2:g},{y2:g}"
    return f'<path d="{path}" fill="none" stroke="#9aa3ad" stroke-width="1.2"/>'


def _node(step: ShownLayer, corner: Point) -> str:
    x, y = corner
    fill, stroke = _COLOURS["flagged" if step.codes else "drops" if step.drops else ""]
    rate = f" p={step.rate:g}" if step.drops and step.rate is not None else ""
    first = _cut(step.label + rate + (f"  {' '.join(step.codes)}" if step.codes else ""))
    shape = "x".join(map(str, step.shape or ()))
    second = _cut(f"{step.module}  {shape}" if len(step.module) + len(shape) < _WIDTH / 6 else step.module, 6)
    tip = f"{step.module} {step.label}{rate} {shape} {step.line} {' '.join(step.codes)}"
    return (
        f"<g><title>{escape(tip)}</title>"
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" fill="{fill}" stroke="{stroke}" '
        f'stroke-width="{2 if step.codes else 1}"/>'
        f'<text x="{x + 8:g}" y="{y + 14:g}">{escape(first)}</text>'
        f'<text class="s" x="{x + 8:g}" y="{y + 28:g}">{escape(second)}</text></g>'
    )


def _cut(text: str, character: float = _CHARACTER) -> str:
    most = int((_WIDTH - 14) / character)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _frame(run: RepeatedBlocks, path: str, shown: Outline, nodes: Mapping[int, Point]) -> str:
    """Draw a box around a block that is repeated."""
    inside = [nodes[s.index] for s in shown.layers if f"{s.module}.".startswith(f"{path}.")]
    depth = sum(f"{path}.".startswith(f"{other}.") for other in shown.repeated)
    pad = max(18 - 4 * depth, 6)
    left, top = min(x for x, _ in inside) - pad, min(y for _, y in inside) - pad / 2
    right, bottom = max(x for x, _ in inside) + _WIDTH + 2 * pad, max(y for _, y in inside) + _HEIGHT + pad / 2
    return (
        f'<g><rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" rx="8" fill="#eef4fc" '
        f'stroke="#4a7ebb" stroke-dasharray="5 4"/>'
        f'<text x="{right + 8:g}" y="{top + 14:g}">{escape(run.title)}</text></g>'
    )
