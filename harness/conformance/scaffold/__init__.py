"""What ``harness new-backend`` writes: the three files of a plugin that works, and its test."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from harness.errors import RequestError, input_output_error

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Scaffold:
    """A new plugin. All its names follow from the backend's name; a name that breaks the rule is a ``RequestError``."""

    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise RequestError(f"name {self.name!r}: use a-z, 0-9 and single - between them, a letter first")

    @property
    def identifier(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")

    @property
    def module(self) -> str:
        """The name of the import package."""
        return f"harness_{self.identifier}"

    @property
    def class_name(self) -> str:
        """The name of the class in ``backend.py``."""
        return "".join(word.capitalize() for word in self.name.split("-")) + "Backend"

    @property
    def distribution(self) -> str:
        """The name of the distribution, by which pip installs it."""
        return f"backprop-harness-{self.name}"

    def contents(self) -> dict[str, str]:
        """Return the text of every file, by its path in the plugin's folder."""
        sources = {
            "pyproject.toml": "pyproject.toml",
            f"{self.module}/__init__.py": "spec.py",
            f"{self.module}/backend.py": "backend.py",
            f"tests/test_{self.identifier}.py": "test_backend.py",
        }
        return {path: self._filled(source) for path, source in sources.items()}

    def _filled(self, source: str) -> str:
        text = (files("harness.conformance.scaffold") / "files" / f"{source}.txt").read_text(encoding="utf-8")
        names = ("name", "identifier", "module", "class_name", "distribution")
        return Template(text).substitute({name: getattr(self, name) for name in names})

    def write(self, folder: Path) -> None:
        """Write all files below ``folder``, which must not exist or be empty; else it is a ``RequestError``.

        A folder that cannot be written to is an ``InputOutputError``.
        """
        try:
            _check_empty(folder)
            for name, text in self.contents().items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            cause = f"nothing can be written there: {error.strerror or error}"
            raise input_output_error(OSError(error.errno, cause, str(folder))) from error


def _check_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() or folder.is_symlink():
        what = "is not empty" if folder.is_dir() else "exists and is no folder"
        raise RequestError(f"{folder} {what}; give another --path")


def taken(scaffold: Scaffold) -> str | None:
    """Return who already has a name that the plugin needs, or ``None`` if all names are free."""
    from harness.contract.registry import registry  # noqa: PLC0415  loads the plugins

    installed = registry()
    if scaffold.name in installed.sources:
        return f"backend {scaffold.name!r} comes from {installed.sources[scaffold.name]}"
    claims = [str(fault) for fault in installed.faults if fault.name == scaffold.name]
    if claims:
        return claims[0]
    module = importlib.util.find_spec(scaffold.module)
    return f"there is already a module {scaffold.module!r}, {module.origin}" if module else None
