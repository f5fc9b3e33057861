"""What the guide says of hubs and of rooms without a network: links, commands, memory."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote, urlencode

from book.press import address, chapters
from book.press.markdown import raw_html, shell, table
from book.press.places import BOOK

MEASURED = BOOK / "measured.json"
HUB = "https://hub.example.org"


def hub_link(hub: str = HUB, path: str = "notebooks") -> str:
    """Return the link by which nbgitpuller brings the book to a hub's user and opens a path.

    >>> hub_link("https://hub.uni.edu/", "notebooks").split("?")[0]
    'https://hub.uni.edu/hub/user-redirect/git-pull'
    """
    asked = {"repo": address.repository(), "branch": address.branch(),
             "urlpath": f"lab/tree/{address.clone()}/{path}"}  # fmt: skip
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(asked, quote_via=quote)}"


def hub_links() -> str:
    """Return the link for each chapter as a list; a script puts the reader's hub into them."""
    items = "".join(
        f'<li><a data-hub href="{escape(hub_link(path=f"notebooks/{chapter.name}.ipynb"))}">'
        f"Chapter {chapter.number}: {escape(chapter.title)}</a></li>"
        for chapter in chapters.in_order()
    )
    return raw_html(
        f'<form class="bank-filter" data-hub-form hidden></form>'
        f'<p>All of it: <a data-hub href="{escape(hub_link())}">the folder of notebooks</a></p>'
        f"<details><summary>A link for each chapter</summary><ul>{items}</ul></details>"
    )


def hub_pattern() -> str:
    """Return the link to the folder of notebooks as text to copy."""
    return f"```text\n{hub_link()}\n```"


def tljh_commands() -> str:
    """Return what an administrator of The Littlest JupyterHub types."""
    return shell(
        "sudo -E /opt/tljh/user/bin/pip install nbgitpuller \\",
        '  "static-vs-dynamic-companion[cli,safe,serve] @ '
        f'git+{address.repository()}@{address.branch()}"',
        "sudo tljh-config set limits.memory 1.5G",
        "sudo tljh-config set limits.cpu 2",
        "sudo tljh-config set services.cull.timeout 3600",
        "sudo tljh-config reload",
    )


def stick_commands() -> str:
    """Return what to type to fill a stick with the book, at the configured address."""
    folder = address.clone()
    return shell(
        f"git clone {address.repository()} && cd {folder} && make site",
        "mkdir -p STICK && cp -r book/_build/html STICK/site",
        f"git archive --prefix={folder}/ HEAD | tar -x -C STICK",
        "cp requirements.lock STICK",
        ".venv/bin/python -m pip download --require-hashes -r requirements.lock -d STICK/wheels",
    )


def stick_install() -> str:
    """Return what to type to install from a stick, without a network."""
    folder = address.clone()
    pip = "~/book-env/bin/python -m pip install --no-index"
    return shell(
        "python3 -m venv ~/book-env",  # not on the stick, whose file system may know no links
        f"cp -r {folder} ~",
        f"{pip} --find-links wheels --require-hashes -r requirements.lock",
        f"{pip} --no-deps --no-build-isolation ~/{folder}",
        f"~/book-env/bin/jupyter lab ~/{folder}/notebooks",
    )


def measured_notebooks() -> str:
    """Return seconds and peak memory of each notebook, as `make measure` recorded them."""
    if not MEASURED.exists():
        return "Nothing has been recorded yet: run `make measure`."
    record = json.loads(MEASURED.read_text(encoding="utf-8"))
    known, server = record["notebooks"], record["server_megabytes"]
    rows = []
    for chapter in chapters.in_order():
        costs = known.get(chapter.name)
        rows.append([
            f"[{chapter.number}. {chapter.title}](../notebooks/{chapter.name}.ipynb)",
            f"{costs['seconds']:.0f}" if costs else "–",
            f"{costs['megabytes']:.0f}" if costs else "–",
            f"{costs['lab_seconds']:.0f}" if costs and "lab_seconds" in costs else "–",
        ])  # fmt: skip
    heads = ["Chapter", "seconds of processor", "peak MB", "seconds in the lab"]
    present = [known[chapter.name] for chapter in chapters.in_order() if chapter.name in known]
    most = max(costs["megabytes"] for costs in present)
    longest = max(costs["seconds"] for costs in present)
    rows += [["the largest of them", f"{longest:.0f}", f"{most:.0f}", ""],
             ["Jupyter's own server, one a person", "", f"{server:.0f}", ""]]  # fmt: skip
    return "\n".join([
        record["where"], "",
        table("columns", "lrrr", heads, rows),
        f"So a person who has one chapter open needs about {round_up(most + server, 50):,} MB, and "
        f"a class of 30 in which all do about {round_up(30 * (most + server) / 1024, 1):,} GB. "
        "Every further notebook that is left running adds its own line of the table.", "",
    ])  # fmt: skip


def round_up(value: float, step: int) -> int:
    """Round up to a multiple of a step.

    >>> round_up(401, 50)
    450
    """
    return int(-(-value // step) * step)
