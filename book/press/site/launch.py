"""The launch buttons: the lab in the site comes first, where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from book.press import address, chapters
from book.press.lab import build as lab
from book.press.markdown import raw_html
from book.press.site import about

LAB_APP = "lab/notebooks/index.html"
OWN_DATA = "notebooks/your_own_data.ipynb"


def own_data_links() -> str:
    """Return where the notebook for a table of one's own opens: the lab, if there is one, first."""
    places = address.repository().removeprefix("https://"), address.branch()
    repository, branch = places[0].removeprefix("github.com/"), places[1]
    links = {
        "on Binder": f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{OWN_DATA}",
        "on Colab": f"https://colab.research.google.com/github/{repository}/blob/{branch}/{OWN_DATA}",
    }
    if lab.about():
        links = {"in your browser": f"../{LAB_APP}?path={OWN_DATA}"} | links
    said = ", ".join(f'<a href="{link}">{where}</a>' for where, link in links.items())
    return raw_html(f"<p>A short notebook, <em>Your own data</em>, opens {said}.</p>")


def assignment_links() -> str:
    """Return where the assignments open in the lab, if there is one."""
    if not lab.about():
        return raw_html("<p>This copy of the site was built without the lab.</p>")
    places = [place for place in sorted(lab.contents()) if place.startswith("assignments/")]
    links = ", ".join(
        f'<a href="../{LAB_APP}?path={place}">week {week}</a>'
        for week, place in enumerate(places, 1)
    )
    return raw_html(
        f"<p>Open in the lab, in your browser: {links}. To hand one in, choose <em>File</em>, "
        "<em>Download</em> there.</p>"
    )


def on_config(app: Sphinx, config: Any) -> None:
    """Ask for a button if the site has a lab.

    A button that comes or goes makes every page anew: Sphinx watches these two settings.
    """
    said = Path(app.outdir) / "lab" / "about.json"
    if said.is_file():
        config.html_context["lab"] = json.loads(said.read_text(encoding="utf-8"))["megabytes"]
        config.html_theme_options["launch_buttons"]["jupyterlite_url"] = LAB_APP


def lab_first(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Make the lab the first of a chapter's launch buttons, with an address below the site.

    A worked capstone reads a file beside it, which Colab has not.
    """
    chapter = chapters.facts(page.removeprefix("notebooks/"))
    for group in context.get("header_buttons", []):
        if not isinstance(group, dict) or "buttons" not in group:
            continue
        if chapter is None:
            group["buttons"] = [
                button for button in group["buttons"]
                if button.get("text") != "Colab"
            ]  # fmt: skip
        for button in group["buttons"]:
            if button.get("text") == "JupyterLite":
                url = button["url"].replace("path=notebooks/capstone/", "path=capstone/")
                button["url"] = "../" * page.count("/") + url
                button["text"] = "In your browser"
                button["tooltip"] = (
                    "Run this notebook here, in JupyterLite: nothing to install, nothing sent "
                    f"anywhere, about {app.config.html_context['lab']} MB the first time"
                )
                group["buttons"].sort(key=lambda other: other is not button)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", on_config, priority=100)
    app.connect("html-page-context", lab_first, priority=900)
    return about()
