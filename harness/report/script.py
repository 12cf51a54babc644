"""Data and code on their way into a script element of a page."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from harness.report.export import finite


def data(value: Any) -> str:
    """Return JSON that no HTML parser sees an end or a comment in, in ASCII, with null for what is not finite."""
    text = json.dumps(finite(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def inline(code: str) -> str:
    """Return our own code or a library's as it may stand inside a script element; refuse what would end it."""
    if "</script" in code.lower() or "<!--" in code:
        raise ValueError("this code would end its own script element")
    return code


def fingerprint(code: str) -> str:
    """Return the source expression by which a content security policy allows exactly this script."""
    digest = hashlib.sha256(code.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
