"""Colours and style of the report on one file: every kind of block its colour, every band of confidence its ground.

Doubtful words are underlined too, so that nobody needs to tell the colours apart.
"""

from __future__ import annotations

from dataclasses import dataclass

KIND_COLOURS = {
    "text": "#2f81c7",
    "heading": "#c2501c",
    "list": "#7b5cc4",
    "table": "#1f8f62",
    "caption": "#b0388a",
    "footnote": "#8a6d00",
}
_OTHER_COLOUR = "#8a8f98"


@dataclass(frozen=True, slots=True)
class Band:
    """Confidences from `least` on, and the ground that words of it stand on."""

    name: str
    least: float
    said: str
    ground: str


BANDS = (
    Band("sure", 0.95, "0.95 or more", "#1f8f6222"),
    Band("fair", 0.8, "0.8 or more", "#e0a80055"),
    Band("poor", 0.0, "less", "#d8323266"),
)

_BASE = """
:root { color-scheme: light dark; --kind: OTHER; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 100rem; padding: 0 1.25rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
h2 small { font-weight: normal; opacity: .7; } header p { margin: .2rem 0; } .title { font-style: italic; }
.note { border-left: 4px solid #c2701c; padding-left: .6rem; } label { margin-right: 1rem; }
.key { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; margin: .6rem 0; }
.key i { display: inline-block; width: .9rem; height: .9rem; margin-right: .4rem; vertical-align: -.1rem;
  background: color-mix(in srgb, var(--kind) 25%, transparent); border: 2px solid var(--kind); }
.pair { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem; align-items: start; }
figure { margin: 0; position: sticky; top: .5rem; }
figure svg { display: block; width: 100%; max-height: calc(100vh - 1rem); border: 1px solid #8886; background: #fff; }
.boxes rect { fill: var(--kind); fill-opacity: .1; stroke: var(--kind); stroke-width: 1; }
.boxes text { font: bold 8px system-ui, sans-serif; fill: var(--kind); text-anchor: end;
  paint-order: stroke; stroke: #fff; stroke-width: 2; }
.boxes a:hover rect, .boxes a:target rect { fill-opacity: .35; stroke-width: 2; }
.order { fill: none; stroke: #d00; stroke-width: 1; stroke-dasharray: 4 2; display: none; }
body:has(#order:checked) .order { display: inline; } body:has(#boxes:not(:checked)) .boxes { display: none; }
.empty { fill: #fff; } .reason { font: 10px system-ui, sans-serif; text-anchor: middle; fill: #a33; }
.block { border-left: 4px solid var(--kind); padding: .1rem 0 .1rem .6rem; margin: 0 0 .5rem; scroll-margin-top: 1rem; }
.block:target { background: color-mix(in srgb, var(--kind) 18%, transparent); }
.block > a, .block > span { font-size: .72rem; color: var(--kind); text-decoration: none; }
.block > a:hover { text-decoration: underline; }
.block p { margin: 0; white-space: pre-line; overflow-wrap: anywhere; }
.block.heading p { font-weight: bold; font-size: 1.1em; } .block.caption p { font-style: italic; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9em; font-variant-numeric: tabular-nums; }
td, th { border: 1px solid #8887; padding: .1rem .4rem; vertical-align: top; text-align: start; white-space: pre-line; }
.read span[title], .bands span { border-radius: 2px; } .poor { text-decoration: underline wavy #c62828; }
.fair { text-decoration: underline dotted #8a6d00; } .bands span { padding: 0 .3rem; margin-right: .4rem; }
.doubt rect { fill: none; stroke: #d83232; stroke-width: 1; stroke-dasharray: 2 1; }
@media (max-width: 50rem) { .pair { grid-template-columns: 1fr; } figure { position: static; } }
@media print { figure { position: static; } section { break-inside: avoid-page; } }
"""

STYLE = _BASE.replace("OTHER", _OTHER_COLOUR) + "".join(
    f".{kind} {{ --kind: {colour}; }}\n" for kind, colour in KIND_COLOURS.items()
)
STYLE += "".join(f".{band.name} {{ background: {band.ground}; }}\n" for band in BANDS)
