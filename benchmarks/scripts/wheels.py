"""Build the core and all plugins of a checkout as wheels, install them, and take all of them out again.

    python wheels.py build CHECKOUT CACHE     the core's wheel at the top of the cache, the plugins' in a folder below
    python wheels.py install CACHE            exactly what was built; third-party packages stay as they are
    python wheels.py uninstall                everything of this project, also plugins that only other commits have

asv runs it in its own environment for every commit, old ones included: what a commit lacks is left out, and a plugin
that does not build is an error, never a backend that quietly is not there. asv takes one wheel at the top of its cache
for the project and refuses two, which is why the plugins lie below.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

NAME = "backprop-harness"
PLUGINS = "plugins"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def pip(*words: str) -> None:
    """Run pip in this interpreter's environment; it fails loudly."""
    subprocess.run([*PIP, *words], check=True)


def build(checkout: Path, cache: Path) -> None:
    """Build every distribution of the checkout with the build tools that are installed here."""
    plugins = [manifest.parent for manifest in sorted((checkout / PLUGINS).glob("*/pyproject.toml"))]
    core = [checkout] if (checkout / "pyproject.toml").is_file() else []
    for sources, target in ((core, cache), (plugins, cache / PLUGINS)):
        if sources:
            target.mkdir(parents=True, exist_ok=True)
            wheels(sources, target)


def wheels(sources: Iterable[Path], target: Path) -> None:
    """Build one wheel for each source folder."""
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(target), *map(str, sources))


def install(cache: Path) -> None:
    """Install every wheel of the cache; versions hardly ever change between commits, so each replaces the last."""
    built = [*cache.glob("*.whl"), *(cache / PLUGINS).glob("*.whl")]
    if built:
        pip("install", "--no-deps", "--no-index", "--force-reinstall", *map(str, built))


def uninstall() -> None:
    """Remove whatever of this project is installed in this environment."""
    inside = Path(sys.prefix)
    installed = {
        distribution.metadata["Name"]
        for distribution in metadata.distributions()
        if Path(str(distribution.locate_file(""))).is_relative_to(inside)
    }
    ours = sorted(name for name in installed if name == NAME or name.startswith(f"{NAME}-"))
    if ours:
        pip("uninstall", "--yes", *ours)


def main(words: list[str]) -> None:
    """Do what the command line says."""
    match words:
        case ["build", checkout, cache]:
            build(Path(checkout), Path(cache))
        case ["install", cache]:
            install(Path(cache))
        case ["uninstall"]:
            uninstall()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
