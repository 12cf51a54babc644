"""A verdict as JUnit XML, for the services that run tests."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from harness.conformance.verdict import Result, Verdict
from harness.errors import RequestError

TAGS = {"failed": "failure", "not applicable": "skipped", "known failure": "skipped"}


def write(verdict: Verdict, path: str) -> None:
    """Write one suite a configuration; a file that cannot be written is a ``RequestError``."""
    root = ET.Element("testsuites", name=verdict.line)
    for name in dict.fromkeys(result.configuration for result in verdict.results):
        _suite(root, verdict.backend, name, [result for result in verdict.results if result.configuration == name])
    try:
        Path(path).write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
    except OSError as error:
        raise RequestError(f"--junit {path}: {error.strerror}") from error


def _suite(root: ET.Element, backend: str, name: str, results: list[Result]) -> None:
    failures = sum(result.outcome == "failed" for result in results)
    skipped = sum(result.outcome in ("not applicable", "known failure") for result in results)
    numbers = {"tests": str(len(results)), "failures": str(failures), "skipped": str(skipped), "errors": "0"}
    suite = ET.SubElement(root, "testsuite", {"name": f"{backend} {name}", **numbers})
    for result in results:
        where = {"classname": f"{backend}.{result.part}", "name": result.name, "time": f"{result.seconds:.3f}"}
        case = ET.SubElement(suite, "testcase", where)
        if result.outcome in TAGS:
            element = ET.SubElement(case, TAGS[result.outcome], message=_plain(result.text.split("\n")[0]))
            element.text = _plain(f"{result.text}\nrepeat: {result.repeat}")


def _plain(text: str) -> str:
    """Return the text without the control characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\n\t" or ord(letter) >= 32)
