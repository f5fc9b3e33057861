"""Print what a reader waits for in the live book: seconds from a touch to the first new figure.

``python -m tests.benchmarks.live [TIMES] [CHAPTER ...]``, on a built site. First visit: a browser
that has never been there. Later visit: the page once more. Knob: one stop, once up. The seconds
are the page's own; no tool looks into its Python, which would slow it down by half. Loop: what five
million additions take outside the browser, before each visit: how fast the machine is just then.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import websocket

from book.press.places import NOTEBOOKS
from book.press.site import serve
from book.press.site.browser import CHROMIUMS, FLAGS, HOW

PATIENCE = 300
READY = "Boolean(document.querySelector('form.live [data-do=start]'))"
SIZE = "document.querySelector('.live-cost').textContent.split(' ')[1]"
UNTIL = """
new Promise((done, wrong) => {
  const began = performance.now(), status = document.querySelector("form.live .live-status");
  new MutationObserver(() => {
    const text = status.textContent;
    if (text.startsWith(BEGINNING)) done((performance.now() - began) / 1000);
    if (text.startsWith("Python could not")) wrong(new Error(text));
  }).observe(status, { childList: true, subtree: true, characterData: true });
  const fields = document.querySelectorAll("form.live input[type=range], form.live select");
  const field = fields[fields.length - 1];
  ACTION
})"""
TOUCH = "document.querySelector('form.live [data-do=start]').click();"
TURN = """
  if (field.tagName === "SELECT") field.selectedIndex = field.selectedIndex === 1 ? 0 : 1;
  else field.value = Number(field.value) + (field.value === "0" ? 1 : -1);
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));"""


@contextlib.contextmanager
def browser() -> Iterator[Callable[..., Any]]:
    """Give what asks a new browser's page for something: the method, and its values by name."""
    program = next((path for path in CHROMIUMS if Path(path).exists()), None)
    if program is None:
        raise SystemExit(HOW)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = [*FLAGS, "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"]
        running = subprocess.Popen([program, *flags], stderr=subprocess.DEVNULL)
        try:
            port = Path(profile, "DevToolsActivePort")
            while not port.exists() or not port.read_text().strip():
                time.sleep(0.05)
            address = f"http://127.0.0.1:{port.read_text().split()[0]}/json"
            with urllib.request.urlopen(address) as answer:
                page = next(one for one in json.load(answer) if one["type"] == "page")
            line = websocket.create_connection(
                page["webSocketDebuggerUrl"], timeout=PATIENCE, suppress_origin=True
            )
            numbers = itertools.count(1)

            def ask(method: str, **values: Any) -> Any:
                number = next(numbers)
                line.send(json.dumps({"id": number, "method": method, "params": values}))
                while (answer := json.loads(line.recv())).get("id") != number:
                    pass
                return answer["result"]

            yield ask
        finally:
            running.kill()
            running.wait()


def value(ask: Callable[..., Any], expression: str) -> Any:
    """Return what an expression is in the page."""
    found = ask("Runtime.evaluate", expression=expression, awaitPromise=True)
    if "exceptionDetails" in found:
        raise SystemExit(found["exceptionDetails"]["exception"]["description"])
    return found["result"]["value"]


def until(ask: Callable[..., Any], beginning: str, action: str) -> float:
    """Return the seconds from an action until the panel's status begins so."""
    said = UNTIL.replace("BEGINNING", json.dumps(beginning)).replace("ACTION", action)
    return value(ask, said)


def visit(ask: Callable[..., Any], address: str) -> tuple[float, float, str]:
    """Return the seconds to the first figure, those after one more stop, and the MB promised."""
    ask("Page.navigate", url=address)
    while not value(ask, f"document.readyState === 'complete' && {READY}"):
        time.sleep(0.1)
    time.sleep(1)  # a reader reads
    size = value(ask, SIZE)
    first = until(ask, "In your world, with", TOUCH)
    return first, until(ask, "In your world:", TURN), size


def loop() -> float:
    """Return the seconds of five million additions."""
    began, total = time.perf_counter(), 0
    for k in range(5_000_000):
        total += k
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    times, wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:]
    serving = serve.server(0)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    print(f"{'medians of ' + str(times) + ', seconds':32s}   MB  first  later   knob   loop")
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        if wanted and path.stem[:2] not in wanted:
            continue
        address = f"http://127.0.0.1:{serving.server_address[1]}/notebooks/{path.stem}.html"
        firsts, laters, knobs, loops = [], [], [], []
        for _ in range(times):
            loops.append(loop())
            with browser() as ask:
                first, knob, size = visit(ask, address)
                later, more, _ = visit(ask, address)
            firsts, laters, knobs = [*firsts, first], [*laters, later], [*knobs, knob, more]
        cells = "".join(
            f"{statistics.median(some):7.2f}" for some in (firsts, laters, knobs, loops)
        )
        print(f"{path.stem:32s}{size:>5s}{cells}", flush=True)
    serving.shutdown()


if __name__ == "__main__":
    main()
