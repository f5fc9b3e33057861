"""The theme as this book uses it: its options, its templates overridden, no ballast."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx

from book.press.site import about

TEMPLATES = Path(__file__).with_name("templates")
OPTIONS = {
    "search_bar_text": "Search this book",
    "show_toc_level": 2,
    "navbar_persistent": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
TEACHERS = ("book/teach_questions", "book/teach_hub")  # the pages that have a script of their own


def on_config(app: Sphinx, config: Any) -> None:
    """Set the theme options that Jupyter Book has no setting for."""
    config.templates_path.append(str(TEMPLATES))
    config.html_context |= {"default_mode": "auto"}
    config.html_theme_options |= OPTIONS


def add_scripts(app: Sphinx, page: str, template: str, context: dict, doctree: Any) -> None:
    """Give the instructor's pages, the ledger and the guide their scripts, and no other page."""
    if page in TEACHERS:
        app.add_js_file("teach.js", loading_method="defer")
    own = {"book/claims": "ledger.js", "book/guide": "prices.js"}
    if page in own:
        app.add_js_file(own[page], loading_method="defer")


def visit_citation(self: Any, node: nodes.citation) -> None:
    """Begin a work without docutils' roles, which do not fit what they stand on."""
    type(self).visit_citation(self, node)
    for k in (-2, -1):
        self.body[k] = self.body[k].replace(' role="list"', "").replace(
            ' role="doc-biblioentry"', "")  # fmt: skip


def depart_citation(self: Any, node: nodes.citation) -> None:
    """End a work as docutils does."""
    type(self).depart_citation(self, node)


def visit_fold(self: Any, node: HideCodeCellNode) -> None:
    """Begin a folded cell with a summary that is announced by its words and holds no paragraph."""
    self.body.append(
        f'<details class="admonition hide {" ".join(node["classes"])}">\n<summary>'
        f'<span class="collapsed admonition-title">{escape(node["prompt_show"])}</span>'
        f'<span class="expanded admonition-title">{escape(node["prompt_hide"])}</span></summary>\n'
    )


def depart_fold(self: Any, node: HideCodeCellNode) -> None:
    """End a folded cell."""
    self.body.append("</details>\n")


def free_lists(app: Sphinx, doctree: nodes.document) -> None:
    """Take lists out of paragraphs, where Sphinx puts those in a docstring's results."""
    for paragraph in list(doctree.findall(nodes.paragraph)):
        parts = [part for child in paragraph
                 for part in (child if isinstance(child, nodes.inline) else [child])]  # fmt: skip
        if any(isinstance(part, nodes.bullet_list) for part in parts):
            paragraph.replace_self(parts)


def without_thebe(app: Sphinx) -> None:
    """Take off the extension for live code, which Jupyter Book always loads: the lab is better."""
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if one.handler.__module__ != "sphinx_thebe"]
    app.registry.css_files[:] = [
        (name, how) for name, how in app.registry.css_files if name != "sphinx-thebe.css"
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    without_thebe(app)
    app.connect("config-inited", on_config, priority=100)
    app.connect("doctree-read", free_lists)
    app.connect("html-page-context", add_scripts)
    app.add_node(HideCodeCellNode, override=True, html=(visit_fold, depart_fold))
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    return about()
