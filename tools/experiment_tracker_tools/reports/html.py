"""A page and its figures as one HTML file that needs no network: the plots are drawn where it is opened."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from importlib import resources

from experiment_tracker_tools.reports.figure import Figure, theme
from experiment_tracker_tools.reports.markdown import plain
from experiment_tracker_tools.reports.page import Page, Section, Table

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #57606a; --line: #dfe2e6; --ground: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --soft: #a5adb8; --line: #3d4148; --ground: #16181d; }
}
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 46rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
section:first-of-type { border-left: 4px solid #0072B2; padding-left: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; } td { min-width: 4rem; overflow-wrap: normal; }
ul { padding-left: 1.2rem; } ul.tasks { list-style: none; padding-left: 0; }
figure { margin: 1.5rem 0; } figcaption { color: var(--soft); font-size: .85rem; }
figure h3 { font-size: 1rem; margin: 0 0 .3rem; } .plot { width: 100%; }
@media print { body { max-width: none; } }
"""
_DRAW = """
const dark = matchMedia("(prefers-color-scheme: dark)");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const specs = read("specs"), themes = read("themes");
const draw = () => specs.forEach((spec, place) => vegaEmbed("#plot-" + place, spec,
  { actions: false, ast: true, renderer: "svg", config: themes[dark.matches ? 1 : 0] }));
dark.addEventListener("change", draw);
draw();
"""


def html(page: Page, figures: Sequence[Figure] = ()) -> str:
    """The page, its figures after the summary; nothing in it runs but the two scripts that its policy names."""
    first, rest = page.sections[:1], page.sections[1:]
    scripts = [_bundle(), _DRAW] if figures else []
    allowed = " ".join(f"'{_hash(script)}'" for script in scripts) or "'none'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; base-uri 'none'; form-action 'none'"
    drawn = "".join(_figure(place, figure) for place, figure in enumerate(figures))
    data = [("specs", [figure.spec for figure in figures]), ("themes", [theme(dark=False), theme(dark=True)])]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(page.title)}</title>\n<style>{_STYLE}</style></head>\n<body>\n<main>\n<h1>{_text(page.title)}</h1>\n"
        + "".join(map(_section, first))
        + drawn
        + "".join(map(_section, rest))
        + "</main>\n"
        + "".join(_data(name, value) for name, value in data if figures)
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body></html>\n"
    )


def _bundle() -> str:
    return (resources.files("experiment_tracker_tools.reports") / "vega" / "vega.js").read_text("utf-8")


def _hash(script: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _data(name: str, value: object) -> str:
    """Data that no browser runs; \\u003c, so that nothing in it can end the element."""
    told = json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{told}</script>\n'


def _figure(place: int, figure: Figure) -> str:
    return (
        f"<figure><h3>{_text(figure.title)}</h3>\n"
        f'<div class="plot" id="plot-{place}" role="img" aria-label="{_text(figure.title)}"></div>\n'
        f"<figcaption>{_text(figure.alt)}</figcaption></figure>\n"
    )


def _section(section: Section) -> str:
    tasks = "".join(
        f"<li><label><input type=checkbox disabled{' checked' if task.done else ''}> {_text(task.text)}</label></li>"
        for task in section.tasks
    )
    return (
        f"<section><h2>{_text(section.title)}</h2>\n"
        + "".join(f"<p>{_text(line)}</p>\n" for line in section.lines)
        + (f"<ul>{''.join(f'<li>{_text(point)}</li>' for point in section.points)}</ul>\n" if section.points else "")
        + (f'<ul class="tasks">{tasks}</ul>\n' if tasks else "")
        + (_table(section.table) if section.table and section.table.rows else "")
        + "</section>\n"
    )


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    rows = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>\n" for row in table.rows)
    return (
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n'
    )


def _text(text: str) -> str:
    return escape(plain(text))
