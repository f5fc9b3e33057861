"""What pages show of other pages: when that changes, every page is written anew.

Sphinx itself writes only the pages that it has read anew, with old names in all others' menus.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from book.press import chapters
from book.press.files import digest
from book.press.site import about, live, yours


def shown_elsewhere(env: Any) -> list[list[Any]]:
    """Return all that a page may show of others: titles, places, works, verdicts."""
    cited = env.domaindata["cite"]
    return [
        [(page, title.astext()) for page, title in env.titles.items()],
        [(domain, kind, name, told) for domain in ("std", "py")
         for kind, entries in env.domaindata[domain].items() if isinstance(entries, dict)
         for name, told in entries.items()],
        [(work.citation_id, work.key, work.formatted_entry.label) for work in cited["citations"]],
        {target.key for ref in cited["citation_refs"] for target in ref.targets},
        env.toc_secnumbers.items(),
        [(page, place, *told[1:]) for page, about in env.metadata.items()
         for place, told in about.get("myst_slugs", {}).items()],
        [(claim, notebook.name, said["outcome"])
         for claim, records in chapters.verdicts().items() for notebook, said in records],
        [live.edition(), yours.edition()],
    ]  # fmt: skip


def on_updated(app: Sphinx, env: Any) -> list[str]:
    """Have every page written, if what they show of others has changed."""
    parts = ("\n".join(sorted(map(repr, one))) for one in shown_elsewhere(env))
    before, env.shown_elsewhere = getattr(env, "shown_elsewhere", ""), digest([], *parts)
    return sorted(env.found_docs) if before != env.shown_elsewhere else []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("env-get-updated", on_updated, priority=1000)  # when sections are numbered
    return about()
