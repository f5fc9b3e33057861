"""Run a chapter's cells in its page as a notebook would; what they show comes back as JSON."""

import ast
import base64
import contextlib
import io
import json
import linecache
import os
import sys
import traceback
import warnings

from needed import MAGIC, needed, statements

os.environ["MPLBACKEND"] = "agg"
warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")  # figures are shown anyway
EVIDENCE = "application/vnd.companion.evidence+json"
spaces, books = {}, {}


class Printed(io.TextIOBase):
    """What a cell prints, as one of its outputs."""

    def __init__(self, shown):
        self.shown = shown

    def write(self, text):
        if self.shown and "text" in self.shown[-1]:
            self.shown[-1]["text"] += text
        elif text:
            self.shown.append({"output_type": "stream", "name": "stdout", "text": text})
        return len(text)


def bundle(value):
    """Return a value as the data of a notebook's output."""
    if isinstance(value, type):  # whose instances may know more
        return {"data": {"text/plain": repr(value)}, "metadata": {}}
    if hasattr(value, "_repr_mimebundle_"):
        made = value._repr_mimebundle_()
        data, about = made if isinstance(made, tuple) else (made, {})
        return {"data": data, "metadata": about}
    data = {"text/plain": repr(value)}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_()
    return {"data": data, "metadata": {}}


def display(*values):
    """Show values among a cell's outputs."""
    for value in values:
        sys.stdout.shown.append({"output_type": "display_data", **bundle(value)})


def open_figures():
    """Show the figures that pyplot has open, and close them."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        for number in pyplot.get_fignums():
            data = io.BytesIO()
            pyplot.figure(number).savefig(data, format="png")
            image = base64.b64encode(data.getvalue()).decode()
            sys.stdout.shown.append({"output_type": "display_data", "data": {"image/png": image}})
        pyplot.close("all")


def say(error, name):
    """Return an error as its reader needs it: the lines of the cell, and what is wrong."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    lines = [f"line {frame.lineno}: {frame.line}" for frame in own[-3:]]
    if isinstance(error, SyntaxError) and error.filename == name:
        lines = [f"line {error.lineno}: {(error.text or '').strip()}"]
    said = traceback.format_exception_only(error)  # of a wrong line its place comes first
    what = next((part for part in said if not part.startswith("  ")), said[-1])
    return {"output_type": "error", "evalue": what.strip(), "lines": lines}


def missing_for(error):
    """Return the module whose lack is behind an error, as a library may say it; "" if none is."""
    while isinstance(error, ImportError):
        if isinstance(error, ModuleNotFoundError):
            return (error.name or "").partition(".")[0]
        error = error.__cause__ or error.__context__
    return ""


def broken(shown, error, name):
    """Return outputs that end with an error, and the module that is missing if that is why."""
    shown.append(say(error, name))
    missing = missing_for(error)
    return {"outputs": shown} | ({"missing": missing} if missing else {})


def perform(code, space):
    """Run code in a space of names; return its outputs, or the module that is missing."""
    name, shown = "<cell>", []
    code = MAGIC.sub(r"\1pass", code)
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    with contextlib.redirect_stdout(Printed(shown)), contextlib.redirect_stderr(sys.stdout):
        try:
            tree = ast.parse(code, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), space)
                space["knob_result"] = value
                if value is not None:
                    display(value)
            open_figures()
        except BaseException as error:
            return broken(shown, error, name)
    return {"outputs": shown}


def world(before):
    """Return what is wrong with the code before a cell, None if it ran; ``spaces`` then has it."""
    if before not in spaces:
        spaces[before] = {"__name__": "__main__", "display": display}
        done = perform(before, spaces[before])
        if "missing" in done or any(one["output_type"] == "error" for one in done["outputs"]):
            del spaces[before]
            return done
    return None


def unreadable(code):
    """Return the error of code that is no Python, None if it is."""
    try:
        compile(MAGIC.sub(r"\1pass", code), "<cell>", "exec")
    except SyntaxError as error:
        return say(error, "<cell>")
    return None


def run(earlier, code, edited="[]"):
    """Run a cell after what it needs of the cells before it; the rest of them is not run.

    Of the cells that the reader has edited, whose numbers ``edited`` holds, all is run.
    """
    earlier = json.loads(earlier)
    for place, text in enumerate(earlier):
        if wrong := unreadable(text):
            return json.dumps({"outputs": [wrong | {"cell": place}]})
    if wrong := unreadable(code):
        return json.dumps({"outputs": [wrong]})
    before = needed(earlier, code, json.loads(edited))
    lasting = not any(one.changes - one.binds for one in statements(code))
    wrong = world(before)
    if wrong:
        for one in wrong["outputs"]:  # its numbers count the lines of all cells before
            one |= {"lines": [line.partition(": ")[2] for line in one.get("lines", [])]}
        return json.dumps(wrong | {"before": True})
    space = dict(spaces[before]) if lasting else spaces.pop(before)
    return json.dumps(perform(code, space))


def turned(code, sources):
    """Return a knob cell's code with other values for some knobs.

    >>> turned("knob_rate = 0.1", {"rate": "0.3"})
    'knob_rate = 0.3'
    """
    tree = ast.parse(code)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id.removeprefix("knob_")
            if node.targets[0].id.startswith("knob_") and name in sources:
                node.value = ast.parse(sources[name], mode="eval").body
    return ast.unparse(tree)


def weighed(evidence, space):
    """Return what each comparison of a knob cell says of its claim: a line, and what it speaks.

    Its source gives a difference with its interval; or its numbers and unit; or one difference a
    row and the unit.
    """
    from companion import claims
    from companion.intervals import block_bootstrap_interval

    said = []
    for claim, what, source in evidence:
        found = eval(source, space)
        if isinstance(found, tuple) and len(found) == 2:
            rows, unit = found
            found = (float(rows.mean()), *block_bootstrap_interval(rows), unit)
        alone = isinstance(found, tuple)
        piece = claims.Evidence(what, *found) if alone else claims.evidence(what, found)
        said.append({"claim": claim, "line": str(piece), "speaks": piece.speaks, "what": what})
    return said


def lived(before, code, sources, evidence):
    """Run a knob cell with some knobs turned, and weigh what it shows."""
    space = dict(spaces[before])
    done = perform(turned(code, sources), space)
    failed = "missing" in done or any(one["output_type"] == "error" for one in done["outputs"])
    if failed or not evidence:
        return done, []
    try:
        return done, weighed(evidence, space)
    except Exception as error:
        return broken(done["outputs"], error, "<cell>"), []


def turn(before, code, sources, evidence="[]"):
    """Run a knob cell with some knobs turned, each time in the same world before it.

    What it says of the claims comes last, beside what it says with the book's values.
    """
    wrong = world(before)
    if wrong:
        return json.dumps(wrong)
    sources, evidence = json.loads(sources), json.loads(evidence)
    done, mine = lived(before, code, sources, evidence)
    if mine:
        if before not in books:
            books[before] = lived(before, code, {}, evidence)[1] if sources else mine
        done["outputs"].append({
            "output_type": "display_data",
            "data": {EVIDENCE: {"mine": mine, "book": books[before]}},
        })  # fmt: skip
    return json.dumps(done)
