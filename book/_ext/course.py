"""What the instructor's guide says of each chapter, read from the chapters themselves."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import exports
import pages
import questions
import yaml

from companion import claims

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "book" / "measured.json"
HUB = "https://hub.example.org"


def glance(one: pages.Chapter) -> str:
    """Return a chapter at a glance: minutes, claims with their verdicts, outcomes, figures."""
    asked = [q for q in questions.bank() if q.chapter == one.number]
    quiz = sum(q.in_quiz for q in asked)
    tested = " ".join(verdict(claim, one.name) for claim in one.claims)
    goals = "".join(
        f"<li><b>{name}</b> {questions.html(text)}</li>"
        for name, text in questions.outcomes().items()
        if name.split(".")[0] == str(one.number)
    )
    here = f"../notebooks/{one.name}.html"
    shown = "".join(
        f'<li><a href="{here}{place and "#" + place}">{escape(title)}</a></li>'
        for place, title, _, _ in pages.figures(one.name)
    )
    return pages.raw_html(
        '<div class="glance">'
        f'<p><a href="../notebooks/{one.name}.html">Open chapter {one.number}</a> · '
        f"{one.minutes} minutes to read · "
        f'<a href="../slides/{one.name}.html">slides</a> · {quiz} quiz questions, '
        f'<a href="teach_questions.html#bank-{one.number}">{len(asked)} in the bank</a></p>'
        f'<ul class="glance-claims">{tested}</ul>'
        "<p>Afterwards a student can</p>"
        f'<ul class="glance-goals">{goals}</ul>'
        f"<details><summary>Figures of chapter {one.number}, by what they find</summary>"
        f"<ul>{shown}</ul></details></div>"
    )


def outcome(claim: str, name: str) -> str:
    """Return what a chapter's stored verdict says of a claim."""
    return next(r["outcome"] for r in pages.recorded(name) if r["claim"] == claim)


def verdict(claim: str, name: str) -> str:
    """Return a claim with the chapter's verdict on it, as a list item."""
    said = outcome(claim, name)
    return (
        f'<li><a href="claims.html#claim-{claim.lower()}"><b>{claim}</b></a> '
        f"{escape(claims.CLAIMS[claim].text)} <em>Verdict here: {escape(said)}.</em></li>"
    )


def outcomes_table() -> str:
    """Return all outcomes, their claims and how many questions test them, as a Markdown table."""
    lines = [":::{table}", ":class: columns outcomes", "",
             "| No. | Afterwards a student can | Asked |", "|---|---|---:|"]  # fmt: skip
    for one in pages.chapters():
        tested = ", ".join(f"{{ref}}`{c} <claim-{c.lower()}>`" for c in one.claims)
        lines.append(
            f"| **{one.number}** | **[{one.title}](../notebooks/{one.name}.ipynb)**, "
            f"claims {tested} | |"
        )
        for name, text in questions.outcomes().items():
            if name.split(".")[0] == str(one.number):
                count = sum(q.outcome == name for q in questions.bank())
                lines.append(f"| {name} | {text} | {count} |")
    return "\n".join([*lines, ":::", ""])


def repository() -> tuple[str, str]:
    """Return the configured address of the repository and its branch."""
    config = yaml.safe_load((ROOT / "book" / "_config.yml").read_text(encoding="utf-8"))
    return config["repository"]["url"], config["repository"]["branch"]


def clone() -> str:
    """Return the folder that a clone of the repository makes."""
    return urlsplit(repository()[0]).path.rstrip("/").rpartition("/")[2]


def hub_link(hub: str = HUB, path: str = "notebooks") -> str:
    """Return the link by which nbgitpuller brings the book to a hub's user and opens a path.

    >>> hub_link("https://hub.uni.edu/", "notebooks").split("?")[0]
    'https://hub.uni.edu/hub/user-redirect/git-pull'
    """
    address, branch = repository()
    asked = {"repo": address, "branch": branch, "urlpath": f"lab/tree/{clone()}/{path}"}
    return f"{hub.rstrip('/')}/hub/user-redirect/git-pull?{urlencode(asked, quote_via=quote)}"


def hub_links() -> str:
    """Return the link for each chapter as a list; a script puts the reader's hub into them."""
    items = "".join(
        f'<li><a data-hub href="{escape(hub_link(path=f"notebooks/{one.name}.ipynb"))}">'
        f"Chapter {one.number}: {escape(one.title)}</a></li>"
        for one in pages.chapters()
    )
    return pages.raw_html(
        f'<form class="bank-filter" data-hub-form hidden></form>'
        f'<p>All of it: <a data-hub href="{escape(hub_link())}">the folder of notebooks</a></p>'
        f"<details><summary>A link for each chapter</summary><ul>{items}</ul></details>"
    )


def hub_pattern() -> str:
    """Return the link to the folder of notebooks as text to copy."""
    return f"```text\n{hub_link()}\n```"


def bank_downloads() -> str:
    """Return the two files of the question bank as links."""
    items = "".join(
        f'<li><a href="../{exports.FOLDER}/{exports.FILES[kind]}" download>{words}</a></li>'
        for kind, words in (
            ("moodle", "The bank for Moodle (Moodle XML)"),
            ("qti", "The bank for other systems (QTI 2.1, a zip file)"),
        )
    )
    return pages.raw_html(f"<ul>{items}</ul>")


def stick_commands() -> str:
    """Return what to type to fill a stick with the book, at the configured address."""
    (address, _), folder = repository(), clone()
    lines = [
        f"git clone {address} && cd {folder} && make site",
        "mkdir -p STICK && cp -r book/_build/html STICK/site",
        f"git archive --prefix={folder}/ HEAD | tar -x -C STICK",
        "cp requirements.lock STICK",
        ".venv/bin/python -m pip download --require-hashes -r requirements.lock -d STICK/wheels",
    ]
    return "```sh\n" + "\n".join(lines) + "\n```"


def stick_install() -> str:
    """Return what to type to install from a stick, without a network."""
    folder = clone()
    pip = "~/book-env/bin/python -m pip install --no-index"
    lines = [
        "python3 -m venv ~/book-env",  # not on the stick, whose file system may know no links
        f"cp -r {folder} ~",
        f"{pip} --find-links wheels --require-hashes -r requirements.lock",
        f"{pip} --no-deps --no-build-isolation ~/{folder}",
        f"~/book-env/bin/jupyter lab ~/{folder}/notebooks",
    ]
    return "```sh\n" + "\n".join(lines) + "\n```"


def tljh_commands() -> str:
    """Return what an administrator of The Littlest JupyterHub types."""
    address, branch = repository()
    lines = [
        "sudo -E /opt/tljh/user/bin/pip install nbgitpuller \\",
        f'  "static-vs-dynamic-companion[cli,safe,serve] @ git+{address}@{branch}"',
        "sudo tljh-config set limits.memory 1.5G",
        "sudo tljh-config set limits.cpu 2",
        "sudo tljh-config set services.cull.timeout 3600",
        "sudo tljh-config reload",
    ]
    return "```sh\n" + "\n".join(lines) + "\n```"


def measured() -> str:
    """Return seconds and peak memory of each notebook, as `make measure` recorded them."""
    if not MEASURED.exists():
        return "Nothing has been recorded yet: run `make measure`."
    noted = json.loads(MEASURED.read_text(encoding="utf-8"))
    rows = noted["notebooks"]
    lines = [noted["where"], "", ":::{table}", ":class: columns", "",
             "| Chapter | seconds of processor | peak MB |", "|---|---:|---:|"]  # fmt: skip
    for one in pages.chapters():
        found = rows.get(one.name)
        cells = f"{found['seconds']:.0f} | {found['megabytes']:.0f}" if found else "– | –"
        lines.append(f"| [{one.number}. {one.title}](../notebooks/{one.name}.ipynb) | {cells} |")
    known = [rows[one.name] for one in pages.chapters() if one.name in rows]
    most = max(found["megabytes"] for found in known)
    lines += [
        f"| the largest of them | {max(found['seconds'] for found in known):.0f} | {most:.0f} |",
        f"| Jupyter's own server, one a person | | {noted['server_megabytes']:.0f} |",
        ":::", "",
        f"So a person who has one chapter open needs about "
        f"{round_up(most + noted['server_megabytes'], 50):,} MB, and a class of 30 in which all "
        f"do about {round_up(30 * (most + noted['server_megabytes']) / 1024, 1):,} GB. "
        "Every further notebook that is left running adds its own line of the table.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def round_up(value: float, step: int) -> int:
    """Round up to a multiple of a step.

    >>> round_up(401, 50)
    450
    """
    return int(-(-value // step) * step)


def generated() -> dict[str, Callable[[], str]]:
    """Return the parts of the guide that are written from the chapters, by their names."""
    parts = {
        "course-outcomes": outcomes_table, "hub-links": hub_links, "hub-pattern": hub_pattern,
        "measured-notebooks": measured, "bank-downloads": bank_downloads,
        "stick-commands": stick_commands, "stick-install": stick_install,
        "tljh-commands": tljh_commands, "bank-overview": questions.overview,
        "question-bank": questions.page,
    }  # fmt: skip
    return parts | {
        f"chapter-{one.number:02d}": lambda one=one: glance(one) for one in pages.chapters()
    }
