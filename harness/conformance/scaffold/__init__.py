"""A complete plugin as a start for one's own: what ``harness new-backend`` writes."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from harness.errors import RequestError

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Scaffold:
    """A plugin to be: every name in it follows from the backend's name."""

    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise RequestError(f"name {self.name!r}: use a-z, 0-9 and single - between them, a letter first")

    @property
    def identifier(self) -> str:
        """The name as Python can say it."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """The import package."""
        return f"harness_{self.identifier}"

    @property
    def class_name(self) -> str:
        """The class in ``backend.py``."""
        return "".join(word.capitalize() for word in self.name.split("-")) + "Backend"

    @property
    def distribution(self) -> str:
        """The name under which it is installed."""
        return f"backprop-harness-{self.name}"

    def contents(self) -> dict[str, str]:
        """Return the text of every file, by its path in the plugin's folder."""
        sources = {
            "pyproject.toml": "pyproject.toml",
            "README.md": "README.md",
            f"{self.module}/__init__.py": "spec.py",
            f"{self.module}/backend.py": "backend.py",
            f"tests/test_{self.identifier}.py": "test_backend.py",
            ".github/workflows/check.yml": "check.yml",
        }
        return {path: self._filled(source) for path, source in sources.items()}

    def _filled(self, source: str) -> str:
        text = (files("harness.conformance.scaffold") / "files" / f"{source}.txt").read_text(encoding="utf-8")
        names = ("name", "identifier", "module", "class_name", "distribution")
        return Template(text).substitute({name: getattr(self, name) for name in names})

    def write(self, folder: Path) -> None:
        """Write every file below ``folder``, which must not exist yet or be empty."""
        try:
            _check_empty(folder)
            for name, text in self.contents().items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise RequestError(f"cannot write to {folder}: {error.strerror or error}; give another --path") from error


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        what = "is not empty" if folder.is_dir() else "exists and is no folder"
        raise RequestError(f"{folder} {what}; give another --path")


def taken(scaffold: Scaffold) -> str | None:
    """Return who has a name that the plugin would need, or ``None``."""
    from harness.contract.registry import registry  # noqa: PLC0415  loads the plugins

    known = registry()
    if scaffold.name in known.sources:
        return f"backend {scaffold.name!r} comes from {known.sources[scaffold.name]}"
    claims = [str(fault) for fault in known.faults if fault.name == scaffold.name]
    if claims:
        return claims[0]
    module = importlib.util.find_spec(scaffold.module)
    return f"there is a module {scaffold.module!r} already, {module.origin}" if module else None
