"""A folder of installed fake plugins, and the harness run in a process of its own that sees them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADER = "from harness import Activation, BackendSpec, Dataset, hookimpl\n"
FIELDS: Mapping[str, object] = {"api": 1, "summary": "a fake", "parallel": "none", "algebra": "handwritten"}
SLOW = re.compile(r": took (\d+\.\d) s to load; its module should import harness and the standard library only")


def spec(name: str, **fields: object) -> str:
    """Return the source of a spec; every field may be replaced, or left out by giving ``None``."""
    module = f"harness_{name.replace('-', '_')}"
    values = {**FIELDS, "name": name, "implementation": f"{module}.backend:Fake", **fields}
    return f"BackendSpec({', '.join(f'{key}={value!r}' for key, value in values.items() if value is not None)})"


def offering(*specs: str, decorator: str = "@hookimpl", signature: str = "harness_backends()") -> str:
    """Return the source of a spec module whose one hook yields these specs."""
    body = "".join(f"    yield {one}\n" for one in specs)
    return f"{HEADER}\n{decorator}\ndef {signature}:\n{body}"


@dataclass(frozen=True)
class Ran:
    """What a process left behind."""

    code: int
    out: str
    err: str

    def about(self, plugin: str) -> list[str]:
        """Return the lines of standard error that name this plugin, but not that a busy machine made it slow."""
        return [line for line in self.err.splitlines() if f"plugin {plugin!r}" in line and not SLOW.search(line)]

    def slow(self, plugin: str) -> float:
        """Return the seconds that standard error says this plugin took to load, 0 where it says nothing."""
        found = (SLOW.search(line) for line in self.err.splitlines() if f"warning: plugin {plugin!r}" in line)
        return max((float(match[1]) for match in found if match), default=0.0)


@dataclass(frozen=True)
class Site:
    """A folder as pip leaves it behind: packages, and beside each its ``.dist-info``."""

    folder: Path

    def install(
        self,
        plugin: str,
        source: str,
        *,
        distribution: str | None = None,
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
        entry_points: str | None = None,
        metadata: str | None = None,
    ) -> None:
        """Write package ``harness_<plugin>`` with this spec module, and the metadata that names it."""
        package = f"harness_{plugin.replace('-', '_')}"
        distribution = distribution or f"fake-{plugin}"
        info = f"{distribution.replace('-', '_')}-{version}.dist-info"
        standard = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        written = {
            f"{package}/__init__.py": source,
            **{f"{package}/{name}": text for name, text in (files or {}).items()},
            f"{info}/METADATA": standard if metadata is None else metadata,
            f"{info}/entry_points.txt": entry_points or f"[harness]\n{plugin} = {package}\n",
        }
        for name, text in written.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (self.folder / info / "RECORD").write_text(_record([*written, f"{info}/RECORD"]))

    def healthy(self, name: str = "healthy") -> None:
        """Install a plugin with which nothing is the matter."""
        self.install(name, offering(spec(name)), files={"backend.py": ""})

    def python(self, *words: str, **environment: str) -> Ran:
        """Run Python with these words and the folder on its path."""
        path = os.pathsep.join([str(self.folder), *filter(None, [environment.pop("PYTHONPATH", "")])])
        done = subprocess.run(
            [sys.executable, *words],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def harness(self, *words: str, **environment: str) -> Ran:
        """Run the command ``harness`` with these words."""
        return self.python("-m", "harness", *words, **environment)

    def listed(self, **environment: str) -> tuple[dict[str, dict[str, Any]], Ran]:
        """Return what ``harness backends --json`` prints, by name, and the process."""
        ran = self.harness("backends", "--json", **environment)
        assert ran.code == 0, ran.err
        return {entry["name"]: entry for entry in json.loads(ran.out)}, ran


def _record(names: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([name, "", ""] for name in names)
    return text.getvalue()
