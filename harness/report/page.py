"""Content becomes one HTML file that needs nothing else: no network, no server, no fonts.

Every word that comes from a plugin, a study or a machine passes ``clean`` and the escaping of the template; in the
charts it is data. In addition, the content security policy of the page allows only its two scripts, by their digests,
and no request to anywhere, and the charts evaluate their expressions with an interpreter instead of ``eval``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from harness.errors import clean
from harness.report.cells import NUMBERS
from harness.report.content import Content, content
from harness.report.export import finite
from harness.report.problem import Specs
from harness.runner.row import Row
from harness.store import Stored

ASSETS = files("harness.report") / "assets"
EMBED = "window.vegaEmbed = vegaEmbed;"


def page(rows: Sequence[Row | Stored], specs: Specs, *, title: str) -> str:
    """Return the whole page."""
    return rendered(content(rows, specs, title=title))


def rendered(told: Content) -> str:
    """Return this content as a page."""
    library, own = _library(), inline(_asset("report.js"))
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
            charts=Markup(script_data({places[id(panel)]: panel.spec for panel in panels})),  # noqa: S704  escaped there
            allowed=" ".join(map(fingerprint, (library, own))),
        )
    )


@cache
def _library() -> str:
    """Return the chart library as one script. Cached, because bundling takes a second."""
    return inline(vl_convert.javascript_bundle(EMBED))


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_cleaned, trim_blocks=True, lstrip_blocks=True
    )


def _cleaned(value: Any) -> Any:
    """Make unprintable characters visible, such as marks that turn the direction of the text."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def script_data(value: Any) -> str:
    """Return ASCII JSON in which no HTML parser sees a tag or a comment, with null for numbers that are not finite."""
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def inline(code: str) -> str:
    """Return code that may stand inside a script element; refuse code that would end the element."""
    if "</script" in code.lower() or "<!--" in code:
        raise ValueError("this code would end its own script element")
    return code


def fingerprint(code: str) -> str:
    """Return the source expression with which a content security policy allows exactly this script."""
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
