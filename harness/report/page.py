"""Content to one HTML file that needs nothing else: no network, no server, no fonts. Pure.

Every word that came from a plugin, a study or a machine passes ``clean`` and the template's escaping; in the charts it
is data. On top of that the page's own policy allows its two scripts by their digests and nothing else, no request to
anywhere, and the charts evaluate their expressions with an interpreter instead of ``eval``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from harness.report import script
from harness.report.cells import NUMBERS
from harness.report.content import Content, content
from harness.report.problem import Specs
from harness.runner.row import Row
from harness.text import clean

ASSETS = files("harness.report") / "assets"
EMBED = "window.vegaEmbed = vegaEmbed;"


def page(rows: Sequence[Row], specs: Specs, *, title: str) -> str:
    """Return the whole page."""
    return rendered(content(rows, specs, title=title))


def rendered(told: Content) -> str:
    """Return the page that says this."""
    library, own = _library(), script.inline(_asset("report.js"))
    panels = [panel for *_, panel in told.panels()]
    places = {id(panel): f"chart-{i}" for i, panel in enumerate(panels)}
    return (
        _environment()
        .from_string(_asset("report.html"))
        .render(
            told=told,
            numbers=NUMBERS,
            states=sorted({line.state for line in told.cells.lines}),
            place=lambda panel: places[id(panel)],
            style=Markup(_asset("report.css")),  # noqa: S704  our own file
            library=Markup(library),  # noqa: S704  the library's own code
            own=Markup(own),  # noqa: S704  our own file
            charts=Markup(script.data({places[id(panel)]: panel.spec for panel in panels})),  # noqa: S704  escaped there
            allowed=" ".join(map(script.fingerprint, (library, own))),
        )
    )


@cache
def _library() -> str:
    """Return the chart library as one script; to bundle it takes a second."""
    return script.inline(vl_convert.javascript_bundle(EMBED))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_cleaned, trim_blocks=True, lstrip_blocks=True
    )


def _cleaned(value: Any) -> Any:
    """Show what does not print instead of printing it, such as marks that turn the direction of the text."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
