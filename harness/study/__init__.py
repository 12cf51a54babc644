"""The first station: a study file becomes a ``Study``, which is checked completely before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from harness.errors import RequestError, input_output_error, nearest
from harness.study.catalogue import Catalogue, installed
from harness.study.document import LARGEST, Document
from harness.study.model import Study
from harness.study.parse import parse


def read_study(name: str | Path, overrides: Sequence[str] = (), catalogue: Catalogue | None = None) -> Study:
    """Return the study of a file, or of a name that the package ships, with ``key=value`` overrides applied.

    Everything that is wrong with it is one ``RequestError`` with a line for each problem. ``catalogue`` names what a
    study may use; without it, that is what is installed here.
    """
    text, label, folder = _text(name)
    document = Document(text, label, folder)
    document.override(overrides)
    return parse(document, Path(label).stem, catalogue or installed())


def study_text(name: str | Path) -> str:
    """Return the text of a study, given by its file or its shipped name, before any override."""
    return _text(name)[0]


def shipped_studies() -> dict[str, Traversable]:
    """Return the files of the shipped studies by name, sorted."""
    folder = files("harness.study").joinpath("shipped")
    studies = {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}
    return dict(sorted(studies.items()))


def _text(name: str | Path) -> tuple[str, str, Path]:
    """Return a study's text, the name for its messages, and the folder where its relative paths start."""
    shipped = shipped_studies()
    if str(name) in shipped:
        return shipped[str(name)].read_text(encoding="utf-8"), f"{name}.toml", Path.cwd()
    path = Path(name)
    if not path.exists() and path.suffix != ".toml" and len(path.parts) == 1:
        raise RequestError(
            f"unknown study {str(name)!r}{nearest(str(name), shipped)}; or give the path of a .toml file"
        )
    return _file_text(path), str(path), path.parent


def _file_text(path: Path) -> str:
    if not path.is_file():
        what = "is not a file" if path.exists() else "there is no such file"
        raise RequestError(f"{path}: {what}; give a study's name or the path of its .toml file")
    try:
        if path.stat().st_size > LARGEST:
            raise RequestError(f"{path}: it is larger than {LARGEST} bytes, so it is no study")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise input_output_error(error, path) from None
