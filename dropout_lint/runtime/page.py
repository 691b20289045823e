"""Write the report as one self-contained HTML page: findings, two curves of variance, a table of layers."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dropout_lint.diagnostic import hedged
from dropout_lint.rulebook import rules
from dropout_lint.runtime.report import Report

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 280, 56, 24
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --paper: #fff; --line: #d9dde5; --soft: #5d6678;
  --on: #c2410c; --off: #1d4ed8; --error: #b91c1c; --warning: #a16207; --info: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0; --paper: #14171f; --line: #333a49; --soft: #98a2b8;
  --on: #fb923c; --off: #7dabff; --error: #f87171; --warning: #fbbf24; --info: #7dabff; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: 12px ui-monospace, monospace; overflow-wrap: anywhere; } .soft { color: var(--soft); }
.error { color: var(--error); } .warning { color: var(--warning); } .info { color: var(--info); }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
.on { stroke: var(--on); border-color: var(--on); }
.off { stroke: var(--off); border-color: var(--off); } path { fill: none; stroke-width: 1.8; }
.grid { stroke: var(--line); } i { display: inline-block; width: 1.6em; border-top: 3px solid; vertical-align: middle; }
"""


def write(report: Report, file: Path, name: str) -> None:
    """Write the page atomically. Raises OSError."""
    text = render(report, name)
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def render(report: Report, name: str) -> str:
    """The page as HTML text."""
    layers = report.tables.get("layers", [])
    parts = [
        f"<h1>Dropout in {_text(name)}</h1>",
        "<h2>Findings</h2>",
        _findings(report) if report.diagnostics else "<p>None.</p>",
    ]
    if layers:
        parts += ["<h2>Variance of each layer's output, in train mode</h2>", _legend(), _curves(layers)]
    norms = report.tables.get("batch_norm", [])
    if norms:
        parts += ["<h2>Batch norms that dropout reaches</h2>", _numbers(norms, ("module", "on", "off", "ratio"))]
    if report.tables.get("rates"):
        columns = ("module", "class", "modules", "p", "observed", "units", "scale")
        parts += ["<h2>Dropouts, each on its own</h2>", _numbers(report.tables["rates"], columns)]
    parts += ["<h2>What was looked at</h2>", _rows([o.kind, o.module, o.text] for o in report.observations)]
    if layers:
        parts += ["<h2>Layers</h2>", _numbers(layers, ("module", "class", "on", "off", "ratio"))]
    head = (
        f"<meta charset=utf-8><meta name=viewport content='width=device-width'><title>Dropout in {_text(name)}</title>"
    )
    return (
        f"<!doctype html><html lang=en><head>{head}<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _findings(report: Report) -> str:
    rows = []
    for d in sorted(report.diagnostics, key=lambda d: (-d.severity.rank, *d.sort_key)):
        modules = ", ".join(f"<code>{_text(m or 'the model')}</code>" for m in d.modules[:3])
        more = f" and {len(d.modules) - 3} more" if len(d.modules) > 3 else ""
        where = f"<code>{_text(d.path)}:{d.span.line}</code>" if d.path else ""
        rows.append(
            f"<tr><td class={d.severity.value}>{d.severity.value}</td>"
            f"<td><a href='{_text(rules()[d.code].url)}'>{d.code}</a></td>"
            f"<td>{_text(hedged(d))}<br><span class=soft>{where} {modules}{more}</span></td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _rows(rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{cells}</table>"


def _numbers(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    numeric = {c for c in columns if rows and isinstance(rows[0][c], int | float)}
    head = "".join(f"<th{' class=n' * (c in numeric)}>{_text(_TITLES.get(c, c))}</th>" for c in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{' class=n' * (c in numeric)}>{_cell(row[c])}</td>" for c in columns) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


_TITLES = {"on": "with dropout", "off": "without", "ratio": "without / with", "modules": "alike"}


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"<code>{_text(value)}</code>" if isinstance(value, str) else _text(value)


def _legend() -> str:
    lines = "<i class=on></i> dropout on &nbsp; <i class=off></i> dropout off; layers in the order of calls"
    return f"<p class=soft>{lines}</p>"


def _curves(layers: list[dict[str, Any]]) -> str:
    """Draw two lines over the layers, on a logarithmic scale because variances span decades."""
    values = [float(row[key]) for row in layers for key in ("on", "off") if 0 < float(row[key]) < math.inf]
    if not values:
        return "<p>No layer has a variance.</p>"
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(index: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * (index / max(1, len(layers) - 1))

    def y(value: float) -> float:
        value = math.log10(min(max(value, 10.0**low), 10.0**high))
        return 10 + (_HEIGHT - _BOTTOM - 10) * (1 - (value - low) / (high - low))

    grid = "".join(
        f"<line class=grid x1={_LEFT} x2={_WIDTH - 10} y1={y(10.0**n):.1f} y2={y(10.0**n):.1f} />"
        f"<text x={_LEFT - 8} y={y(10.0**n) + 4:.1f} text-anchor=end>{10.0**n:g}</text>"
        for n in range(low, high + 1, max(1, (high - low) // 6))
    )
    lines = "".join(
        f"<path class={key} d='M{' L'.join(f'{x(i):.1f},{y(float(row[key])):.1f}' for i, row in enumerate(layers))}' />"
        for key in ("off", "on")
    )
    marks = "".join(
        f"<circle cx={x(i):.1f} cy={y(float(row['on'])):.1f} r=5 fill=transparent>"
        f"<title>{_text(row['module'])}: {row['on']:.4g} with, {row['off']:.4g} without</title></circle>"
        for i, row in enumerate(layers)
    )
    ends = f"<text x={_LEFT} y={_HEIGHT - 6}>{_text(layers[0]['module'])}</text>"
    ends += f"<text x={_WIDTH - 10} y={_HEIGHT - 6} text-anchor=end>{_text(layers[-1]['module'])}</text>"
    box = f"viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='variance by layer'"
    return f"<svg {box}>{grid}{lines}{marks}{ends}</svg>"
