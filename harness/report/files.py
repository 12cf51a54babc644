"""Every figure of the page as its own file: SVG, PNG or PDF from the same specifications, without a network."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import vl_convert

from harness.errors import clean
from harness.report.content import Content

WIDTH = 560
LINE = 72
"""How many letters a line of a title may have to be no wider than the chart."""
SCALE = 2.0
NO_ADDRESS: list[str] = []
"""A specification may load nothing from any address."""
LONGEST = 90


def _svg(spec: Mapping[str, Any]) -> bytes:
    return vl_convert.vegalite_to_svg(dict(spec), allowed_base_urls=NO_ADDRESS).encode()


def _png(spec: Mapping[str, Any]) -> bytes:
    return vl_convert.vegalite_to_png(dict(spec), scale=SCALE, allowed_base_urls=NO_ADDRESS)


def _pdf(spec: Mapping[str, Any]) -> bytes:
    return vl_convert.vegalite_to_pdf(dict(spec), allowed_base_urls=NO_ADDRESS)


FORMATS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {"svg": _svg, "png": _png, "pdf": _pdf}


def figures(told: Content, formats: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Yield ``(file name, content)`` of every chart in every format, in the order of the page.

    A name is a number and words of letters, digits and dashes, so it cannot point outside the folder or be hidden.
    """
    for number, (machine, part, figure, panel) in enumerate(told.panels(), start=1):
        several = [machine.name] if len(told.machines) > 1 else []
        below = [line for words in (panel.title, part.heading, *several) for line in textwrap.wrap(clean(words), LINE)]
        title = {"text": clean(figure.title), "subtitle": below, "anchor": "start", "offset": 12}
        spec = {**panel.spec, "width": WIDTH, "background": "white", "title": title}
        for name in formats:
            yield f"{number:03}-{slug(f'{figure.title} {panel.title}')}.{name}", FORMATS[name](spec)


def slug(words: str) -> str:
    """Return the words as part of a file name."""
    return "-".join(re.findall(r"[a-z0-9]+", words.lower()))[:LONGEST].strip("-")
