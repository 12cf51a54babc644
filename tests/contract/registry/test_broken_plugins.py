"""Every way in which a plugin can be broken costs that plugin one line, and no other plugin anything."""

from __future__ import annotations

import re

import pytest

from tests.fakes.site import HEADER, Ran, Site, offering, spec

GOOD = spec("good")

REFUSED = {
    "raises ImportError": ("import nowhere_to_be_found\n", "ModuleNotFoundError: No module named 'nowhere"),
    "raises SystemExit": ("raise SystemExit('bye')\n", "SystemExit: bye"),
    "raises what is no Exception": ("class Odd(BaseException): pass\nraise Odd('odd')\n", "Odd: odd"),
    "raises an error whose message raises": (
        "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute\n",
        "Mute: (its message raised ValueError)",
    ),
    "has a syntax error": ("def f(:\n", "SyntaxError: "),
    "has a hook that raises at once": (f"{HEADER}@hookimpl\ndef harness_backends(): raise KeyError('x')\n", "KeyError"),
    "exits in its hook": (f"{HEADER}@hookimpl\ndef harness_backends(): raise SystemExit\n", "SystemExit"),
    "speaks a newer api": (offering(spec("x", api=2)), "backend 'x' speaks api 2, this harness api 1"),
    "speaks an older api": (
        offering(spec("x", api=0)),
        "line 5); upgrade the plugin",
    ),
    "has an unknown field": (offering(spec("x", sumary="y")), "unexpected keyword argument 'sumary'"),
    "lacks a field": (offering(spec("x", summary=None)), "missing 1 required keyword-only argument: 'summary'"),
    "has a bad name": (offering(spec("x").replace("'x'", "'Bad Name'")), "backend name 'Bad Name': use a-z, 0-9"),
    "has a name like an option": (offering(spec("x").replace("'x'", "'--json'")), "backend name '--json': use a-z"),
    "has a misspelt hook": (
        offering(GOOD, signature="harness_backend()"),
        "harness_backend is no hook of the harness; did you mean 'harness_backends'?",
    ),
    "has a misspelt optional hook": (
        offering(GOOD, decorator="@hookimpl(optionalhook=True)", signature="harness_backendz()"),
        "harness_backendz is no hook of the harness; did you mean",
    ),
    "has a misspelt specname": (
        offering(GOOD, decorator="@hookimpl(specname='harness_backens')"),
        "harness_backens is",
    ),
    "forgets to mark its hook": (offering(GOOD, decorator=""), "harness_backends lacks its @hookimpl"),
    "has no hook": ("", "no function marked @hookimpl"),
    "has a hook with a default": (offering(GOOD, signature="harness_backends(x=1)"), "harness_backends(x=1) takes arg"),
    "has a hook with an argument": (offering(GOOD, signature="harness_backends(x)"), "harness_backends(x) takes argu"),
    "has a wrapper": (offering(GOOD, decorator="@hookimpl(wrapper=True)"), "harness_backends is a hook wrapper"),
    "has an old wrapper": (offering(GOOD, decorator="@hookimpl(hookwrapper=True)"), "harness_backends is a hook wrap"),
    "has an async hook": (f"{HEADER}@hookimpl\nasync def harness_backends(): return []\n", "harness_backends is async"),
    "returns a string": (f"{HEADER}@hookimpl\ndef harness_backends(): return 'x'\n", "returned str, should yield"),
    "returns a number": (f"{HEADER}@hookimpl\ndef harness_backends(): return 1\n", "harness_backends returned int"),
    "returns one spec": (f"{HEADER}@hookimpl\ndef harness_backends(): return {GOOD}\n", "returned BackendSpec, should"),
    "returns nothing": (
        f"{HEADER}@hookimpl\ndef harness_backends(): pass\n",
        "returned None, should yield BackendSpec",
    ),
    "yields a string": (offering("'x'"), "harness_backends yielded str 'x', should yield BackendSpec"),
    "yields a class": (offering("BackendSpec"), "yielded type <class 'harne"),
    "yields what cannot be shown": (
        "class Shy:\n    def __repr__(self): raise ValueError\n" + offering("Shy()"),
        "yielded Shy <Shy instance at",
    ),
    "never ends": (
        f"{HEADER}@hookimpl\ndef harness_backends():\n    while True: yield {GOOD}\n",
        "yields more than 1000 things: does it ever end?",
    ),
    "yields a bad activation": (
        f"{HEADER}@hookimpl\ndef harness_activations(): yield Activation('bad', abs, abs, (1, 0))\n",
        "activation 'bad': range=(1, 0) should be (low, high)",
    ),
    "yields an activation without a proper name": (
        f"{HEADER}@hookimpl\ndef harness_activations(): yield Activation('B d', abs, abs, (0, 1))\n",
        "yielded the name 'B d': use a-z",
    ),
}


def one_line(ran: Ran, plugin: str, cause: str) -> str:
    """Assert that standard error has one line about the plugin: who, where from, cause, next step."""
    assert len(ran.about(plugin)) == 1, ran.err
    line = ran.about(plugin)[0]
    assert re.match(rf"harness: (warning: )?plugin '{plugin}' \(fake-{plugin} [\d.]+\): .+; .+", line), line
    assert cause in line
    assert "Traceback" not in ran.err
    return line


@pytest.mark.parametrize("case", REFUSED)
def test_a_plugin_is_refused_in_one_line_and_the_others_stay_where_it(site: Site, case: str) -> None:
    source, cause = REFUSED[case]
    site.install("broken", source)
    listed, ran = site.listed()
    one_line(ran, "broken", cause)
    assert listed["healthy"]["available"]
    assert "x" not in listed


def test_what_a_generator_yielded_before_it_raised_stays(site: Site) -> None:
    site.install("broken", offering(GOOD, "1 / 0", spec("late")), files={"backend.py": ""})
    listed, ran = site.listed()
    one_line(ran, "broken", "ZeroDivisionError: division by zero")
    assert {"good", "healthy"} <= listed.keys()
    assert "late" not in listed


def test_what_was_yielded_before_a_wrong_type_stays(site: Site) -> None:
    site.install("broken", offering(GOOD, "7"))
    listed, ran = site.listed()
    one_line(ran, "broken", "harness_backends yielded int 7, should yield BackendSpec")
    assert "good" in listed


def test_a_hook_that_raises_does_not_take_the_plugins_other_hook_with_it(site: Site) -> None:
    source = offering("1 / 0") + "\n@hookimpl\ndef harness_activations(): yield Activation('fine', abs, abs, (0, 1))\n"
    site.install("broken", source)
    ran = site.python("-c", "import harness; print(harness.activation('fine').range)")
    assert ran.out == "(0.0, 1.0)\n", ran.err


def test_all_broken_plugins_at_once_leave_the_healthy_one_and_one_line_each(site: Site) -> None:
    for number, (source, _) in enumerate(REFUSED.values()):
        site.install(f"broken{number}", source.replace("name='good'", f"name='good{number}'"))
    listed, ran = site.listed()
    for number, (_, cause) in enumerate(REFUSED.values()):
        one_line(ran, f"broken{number}", cause)
    assert listed["healthy"]["available"]


def test_a_slow_plugin_is_named_with_its_seconds_and_stays_usable(site: Site) -> None:
    site.install("slow", "import time\ntime.sleep(2)\n" + offering(spec("slow")), files={"backend.py": ""})
    listed, ran = site.listed()
    assert ran.slow("slow") >= 2
    assert not ran.about("slow")
    assert listed["slow"]["available"]


def test_what_a_plugin_prints_does_not_reach_the_json(site: Site) -> None:
    site.install("chatty", "print('hello')\n" + offering(spec("chatty")), files={"backend.py": ""})
    listed, ran = site.listed()
    one_line(ran, "chatty", "printed 'hello'")
    assert listed["chatty"]["available"]


def test_a_plugin_that_closes_standard_output_silences_nobody(site: Site) -> None:
    site.install("broken", "import sys\nsys.stdout.close()\nsys.stdout = None\n" + offering(GOOD))
    listed, ran = site.listed()
    assert {"good", "healthy"} <= listed.keys()
    assert not ran.about("broken")


def test_the_line_of_the_plugin_that_failed_is_named(site: Site) -> None:
    site.install("broken", offering(GOOD, "helper()") + "\n\ndef helper():\n    return BackendSpec(api=1, nme='x')\n")
    _, ran = site.listed()
    one_line(ran, "broken", "unexpected keyword argument 'nme' (harness_broken/__init__.py, line 10)")


def test_ctrl_c_while_a_plugin_loads_passes_through(site: Site) -> None:
    site.install("broken", "raise KeyboardInterrupt\n")
    ran = site.python("-c", "import harness; harness.backends()")
    assert ran.code != 0
    assert "KeyboardInterrupt" in ran.err


@pytest.mark.parametrize("asks", ["harness.backends()", "harness.activation('relu')"])
@pytest.mark.parametrize("when", ["\n{}\n", "\n@hookimpl\ndef harness_backends(): yield {}\n"])
def test_a_plugin_that_asks_for_the_registry_while_it_is_loaded_is_refused(site: Site, asks: str, when: str) -> None:
    site.install("broken", f"{HEADER}import harness\n{when.format(asks)}")
    listed, ran = site.listed()
    one_line(ran, "broken", "asks for what the plugins offer while they are being loaded")
    assert listed["healthy"]["available"]


def test_many_threads_may_ask_first(site: Site) -> None:
    code = (
        "import harness, threading\n"
        "threads = [threading.Thread(target=harness.backends) for _ in range(8)]\n"
        "[t.start() for t in threads], [t.join() for t in threads]\n"
        "print('healthy' in harness.backends())\n"
    )
    assert site.python("-c", code).out == "True\n"


def test_control_characters_of_a_plugin_never_reach_the_terminal(site: Site) -> None:
    site.install("rude", "raise ValueError('\\x1b[2J\\x07\\u202egone\\r\\nnext')\n")
    site.install("sly", offering(spec("sly", install="pip \x1b[31m")))
    ran = site.harness("backends")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", ran.out + ran.err)
    one_line(ran, "rude", r"ValueError: \x1b[2J\x07\u202egone next")
    one_line(ran, "sly", "install=")
