from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from harness.cli import main
from harness.contract.registry import backends
from harness.report.content import content
from harness.report.files import slug
from harness.report.text import text
from harness.store import Store
from tests.report import made
from tests.samples import a_cell, a_lost_row, a_row, a_run

SIGNATURES = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one study of two backends, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "results.db"
    cells = [a_cell(backend=name, options={}) for name in ("jax", made.IMG)]
    with Store.open(path) as opened:
        run = a_run()
        opened.begin(run, cells)
        for cell in cells:
            for turn in range(3):
                opened.add(run, a_row(cell, turn))
    return path


def test_the_page_is_written_and_its_path_printed(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "report.html\n"
    page = Path("report.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert made.IMG not in page
    assert sorted(path.name for path in store.parent.iterdir()) == ["report.html", "results.db"], "no draft is left"


def test_a_page_is_replaced_whole(store: Path) -> None:
    Path("page.html").write_text("an older page " * 1_000_000)
    assert main(["report", "-o", "page.html"]) == 0
    assert Path("page.html").read_text().rstrip().endswith("</html>")
    assert store.exists()


def test_figures_are_files_with_safe_names_in_every_format(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--store", str(store), "--figures", "deep/figures", "--format", "svg, png,PDF"]) == 0
    drawings = sorted(Path("deep/figures").iterdir())
    panels = list(content(Store.read(store).rows(), backends(), title="").panels())
    assert len(drawings) == 3 * len(panels)
    assert capsys.readouterr().out.splitlines() == [f"{len(drawings)} files in deep/figures", "report.html"]
    for path in drawings:
        assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.(svg|png|pdf)", path.name)
        assert path.read_bytes().startswith(SIGNATURES[path.suffix[1:]])
    drawn = next(path for path in drawings if path.suffix == ".svg").read_text(encoding="utf-8")
    assert "<img" not in drawn
    assert "&lt;img" in drawn


@pytest.mark.parametrize("words", ["../../etc/passwd", "a\x00b/c", "..", "<img src=x>", "CON:x", "-rf"])
def test_no_name_leaves_the_folder(words: str) -> None:
    assert re.fullmatch(r"[a-z0-9]*(-[a-z0-9]+)*", slug(words))


def test_text_goes_to_the_terminal_and_no_page_is_written(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--text"]) == 0
    out = capsys.readouterr().out
    assert "time per epoch in s, batch 32" in out
    assert "backend" in out
    assert "\x1b" not in out
    assert not (store.parent / "report.html").exists()


def test_bars_are_as_long_as_their_times_and_nothing_steers_the_terminal() -> None:
    rows = [
        a_row(a_cell(backend=name, options={}), turn, epoch_seconds=(time,))
        for name, time in (("fused", 0.01), (f"jax{made.TURNED}", 0.04))
        for turn in range(3)
    ]
    plain = text(rows, {}, width=80, blocks=False)
    bars = [line.count("#") for line in plain.splitlines() if line.startswith("  ") and "#" in line]
    assert 3.5 < bars[1] / bars[0] < 4.5
    assert max(map(len, plain.splitlines())) <= 80
    assert not set("\u202e\u2067\x1b\x00") & set(plain)
    assert "\x1b[36m" in text(rows, {}, width=80, color=True)


def test_what_failed_is_in_the_text_too() -> None:
    told = text([a_lost_row()], {}, width=80)
    assert told.startswith("No cell has a time.")
    assert "1 of 1 cells fell short: 1 crashed" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--store", "none.db"], "none.db: there is no such store"),
        (["--study", "quik"], "it has no study 'quik'; did you mean 'quick'?"),
        (["-o", "."], "this is a folder; name a file with -o"),
        (["-o", "none/report.html"], "there is no folder none"),
        (["-o", "results.db"], "this is the store itself"),
        (["--figures", "results.db"], "this is no folder; name one with --figures"),
        (["--figures", "results.db/x"], "name another folder with --figures"),
        (["--figures", "x", "--format", "svg,pgn"], "'pgn' is no format of a figure; did you mean 'png'?"),
        (["--figures", "x", "--format", ","], "name at least one format"),
    ],
)
def test_a_wrong_request_is_one_line(
    store: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = store.read_bytes()
    assert main(["report", *words]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert len(err.splitlines()) == 1
    assert out == ""
    assert store.read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_one_line(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)  # a test may run as root, whom no mode keeps out
    assert main(["report", "--store", str(store)]) == 74
    assert "cannot be written to (Permission denied); name another file with -o" in capsys.readouterr().err


def test_a_store_without_rows_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Store.open("results.db") as opened:
        opened.begin(a_run(), [a_cell()])
    assert main(["report"]) == 2
    assert "results.db: no rows yet; measure some with `harness run STUDY`" in capsys.readouterr().err
    assert not Path("report.html").exists()
