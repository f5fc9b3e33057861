"""The course: the question bank and its exports, the guide's claims about chapters, the hub."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from book.press import address, chapters
from book.press.checks import measure
from book.press.course import bank, guide, hub, questions
from book.press.site import print_page
from book.press.site.generated import GENERATED

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CHAPTERS = chapters.in_order()
GUIDE = (BOOK / "teach_chapters.md").read_text(encoding="utf-8")
SECTIONS = {
    int(head.split(".")[0]): text
    for head, text in re.findall(r"^## (\d+\. .+?)\n(.*?)(?=^## \d|\Z)", GUIDE, re.M | re.S)
}
QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
CP = "{http://www.imsglobal.org/xsd/imscp_v1p1}"


# --- the bank --------------------------------------------------------------------------------


def test_every_question_is_whole():
    assert len(questions.bank()) >= 100
    for q in questions.bank():
        assert sum(answer.right for answer in q.answers) == 1, f"{q.id} needs one right answer"
        assert len(q.answers) >= 3, q.id
        assert all(len(answer.feedback.split()) >= 2 for answer in q.answers), q.id
        assert len({answer.text for answer in q.answers}) == len(q.answers), q.id
        assert q.outcome in questions.outcomes(), f"{q.id} tests {q.outcome}, which is no outcome"
        assert q.level in questions.LEVELS, q.id
    assert len({q.id for q in questions.bank()}) == len(questions.bank())
    assert len({q.text for q in questions.bank()}) == len(questions.bank())


def test_every_outcome_has_a_question_and_every_level_is_used():
    tested = {q.outcome for q in questions.bank()}
    assert set(questions.outcomes()) <= tested, set(questions.outcomes()) - tested
    levels = Counter(q.level for q in questions.bank())
    assert min(levels.values()) >= 15


def test_no_place_is_the_likely_one():
    places = Counter(
        [answer.right for answer in q.answers].index(True) for q in questions.bank()
        if len(q.answers) == 3
    )  # fmt: skip
    assert max(places.values()) < 0.45 * sum(places.values())


def test_the_bank_has_questions_that_stand_in_no_chapter():
    for one in CHAPTERS:
        assert sum(q.chapter == one.number and not q.in_quiz for q in questions.bank()) >= 2


def test_tags_that_no_longer_fit_a_quiz_are_refused():
    with pytest.raises(ValueError, match="no tags for question 2"):
        questions.check_tags("01_x", ["Why so?", "What now?"], [["Why", "1.1", 1]])
    with pytest.raises(ValueError, match="bring them together"):
        questions.check_tags("01_x", ["Why so?"], [["How", "1.1", 1]])
    with pytest.raises(ValueError, match="'none'"):
        questions.check_tags("01_x", ["Why so?"], [["Why", "1.1", 1], ["What", "1.2", 1]])


# --- Moodle ----------------------------------------------------------------------------------


def test_moodle_xml_is_as_moodle_wants_it():
    text = bank.moodle(questions.bank())
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<quiz>')
    tree = ElementTree.fromstring(text.encode())
    kinds = Counter(q.get("type") for q in tree)
    assert kinds == {"category": len(CHAPTERS), "multichoice": len(questions.bank())}
    seen = set()
    for found in tree:
        seen.add(found.findtext("idnumber"))
        if found.get("type") == "category":
            assert found.findtext("category/text").startswith("$course$/top/")
            assert "//" not in found.findtext("category/text")
            continue
        assert found.findtext("name/text").strip()
        assert found.find("questiontext").get("format") == "html"
        assert (found.findtext("single"), found.findtext("shuffleanswers")) == ("true", "true")
        fractions = [float(answer.get("fraction")) for answer in found.iter("answer")]
        assert sorted(fractions)[-1] == 100 and sum(fractions) == 100
        for answer in found.iter("answer"):
            for html in (answer.findtext("text"), answer.findtext("feedback/text")):
                inner = ElementTree.fromstring(html.replace("&nbsp;", " "))
                assert inner.tag == "p" and "".join(inner.itertext()).strip()
        assert len([tag.findtext("text") for tag in found.iter("tag")]) == 4
    assert len(seen) == len(tree)
    # What holds HTML stands in CDATA, as Moodle's manual asks.
    assert text.count("<![CDATA[<p>") == sum(1 + 2 * len(q.answers) for q in questions.bank())
    assert "](" not in text and "$n$" not in text


def test_text_that_would_end_a_cdata_section_does_not():
    question = replace(questions.bank()[0], text="x]]>y `]]>`")
    tree = ElementTree.fromstring(bank.moodle([question]).encode())
    text = tree.findtext("question[@type='multichoice']/questiontext/text")
    assert text == "<p>x]]&gt;y <code>]]&gt;</code></p>"


# --- QTI -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(bank.qti(questions.bank())))


def test_qti_package_lists_all_that_it_holds(package):
    manifest = ElementTree.fromstring(package.read("imsmanifest.xml"))
    listed = [file.get("href") for file in manifest.iter(f"{CP}file")]
    assert sorted(listed) == sorted(set(package.namelist()) - {"imsmanifest.xml"})
    names = {res.get("identifier") for res in manifest.iter(f"{CP}resource")}
    asked = {dep.get("identifierref") for dep in manifest.iter(f"{CP}dependency")}
    assert asked <= names and len(asked) == len(questions.bank())


def test_qti_items_can_be_answered_and_scored(package):
    for q in questions.bank():
        item = ElementTree.fromstring(package.read(f"items/{q.id}.xml"))
        choices = [c.get("identifier") for c in item.iter(f"{QTI}simpleChoice")]
        right = item.findtext(f".//{QTI}correctResponse/{QTI}value")
        assert len(choices) == len(q.answers) and right in choices
        assert q.answers[choices.index(right)].right
        said = [f.get("identifier") for f in item.iter(f"{QTI}modalFeedback")]
        assert said == choices
        declared = {o.get("identifier") for o in item.iter(f"{QTI}outcomeDeclaration")}
        assert declared == {"SCORE", "FEEDBACK"}
    for one in CHAPTERS:
        test = ElementTree.fromstring(package.read(f"tests/{one.number:02d}.xml"))
        for ref in test.iter(f"{QTI}assessmentItemRef"):
            assert ref.get("href").removeprefix("../") in package.namelist()


def test_the_same_questions_make_the_same_files():
    assert bank.qti(questions.bank()) == bank.qti(questions.bank())


def test_bank_tool_writes_both_files(tmp_path, capsys):
    assert bank.main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(bank.FILES.values())
    assert f"{len(questions.bank())} questions" in capsys.readouterr().out


# --- the guide -------------------------------------------------------------------------------


def test_the_guide_has_a_section_for_every_chapter():
    assert set(SECTIONS) >= {one.number for one in CHAPTERS}
    for number, text in SECTIONS.items():
        assert f"```{{chapter-{number:02d}}}" in text
        for part in ("**Timing (50 minutes).**", "**What students believe.**", "**Live demo.**",
                     "**Discuss.**", "**Common errors and their mend.**"):  # fmt: skip
            assert part in text, (number, part)
        minutes = re.search(r"\*\*Timing \(50 minutes\)\.\*\* (.*)", text)[1]
        parts = [int(part) for part in re.findall(r"(?:^|· )(\d+) ", minutes)]
        assert sum(parts) == 50, (number, parts)
        assert len(re.findall(r"^- ", text, re.M)) >= 8, number
        assert "Good" in text.split("**Discuss.**")[1], number


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda one: one.name)
def test_the_guide_names_only_what_the_chapter_has(one):
    cells = json.loads((ROOT / "notebooks" / f"{one.name}.ipynb").read_text())["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    source += "\n".join(str(out.get("text", "")) for c in cells for out in c.get("outputs", []))
    text = re.sub(r"```.*?```", "", SECTIONS[one.number], flags=re.S)
    for name in re.findall(r"`([^`]+)`", text):
        assert name in source, f"chapter {one.number} has no {name}"
    titles = {title for _, title, _, _ in chapters.figures(one.name)}
    for title in re.findall(r"[Ff]igure \*\*(.+?)\*\*", text):
        assert title in titles, f"chapter {one.number} has no figure {title!r}"
    assert one.title in GUIDE


def test_glance_shows_outcomes_claims_and_figures():
    one = CHAPTERS[0]
    text = guide.glance(one)
    assert all(f"claims.html#claim-{claim.lower()}" in text for claim in one.claims)
    assert "Verdict here: supported" in text and "<b>1.5</b>" in text
    assert text.count("<li><a href") == len(list(chapters.figures(one.name))) + len(one.claims)


def minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def test_plans_have_no_gap_and_no_overlap():
    plans = (BOOK / "teach_plans.md").read_text(encoding="utf-8")
    days = []
    for table in plans.split(":class: plan")[1:]:
        rows = re.findall(r"^\| (\d+:\d\d)–(\d+:\d\d) \|", table.split(":::")[0], re.M)
        if not rows:
            continue
        for (_, end), (start, _) in zip(rows, rows[1:], strict=False):
            assert end == start, (end, start)
        days.append(minute(rows[-1][1]) - minute(rows[0][0]))
    assert days == [4 * 60, 8 * 60, 8 * 60]
    weeks = re.findall(r"^- \*\*Week (\d)\.\*\* .*assignment (\d)", plans, re.M)
    assert weeks == [(str(n), str(n)) for n in range(1, 7)]


def test_shares_of_the_grade_add_up():
    plans = (BOOK / "teach_plans.md").read_text(encoding="utf-8")
    shares = re.findall(r"^\| \w+ \| (\d+) % \|", plans, re.M)
    assert sum(map(int, shares)) == 100


def test_the_plan_agrees_with_the_assignments_and_the_capstone():
    plans, page, brief = ((BOOK / f"{name}.md").read_text(encoding="utf-8")
                          for name in ("teach_plans", "assignments", "capstone"))  # fmt: skip
    plan = dict(re.findall(r"^- \*\*Week (\d)\.\*\* (.*)$", plans, re.M))
    read: set[int] = set()
    for week, title, listed in re.findall(r"^\| (\d) \| ([^|]+) \| ([\d–, ]+) \|", page, re.M):
        assert f"assignment {week} ({title})" in plan[week]
        read |= numbers(re.search(r"Read (.+?)\. \*", plan[week])[1])
        assert numbers(listed) <= read, f"assignment {week} asks for chapters not yet read"
    assert read == {one.number for one in CHAPTERS}
    milestones = re.findall(r"^\| (\d) \| (.+?) \|", brief.split("## The rubric")[0], re.M)
    assert [week for week, _ in milestones] == [w for w, t in plan.items() if "capstone" in t]
    for part in ("Assignments", "Capstone"):
        share = re.search(rf"^\| {part} \| (\d+ %) \|.*100 points", plans, re.M)[1]
        assert share in {"Assignments": page, "Capstone": brief}[part], part


def numbers(text: str) -> set[int]:
    """The chapters that "4 to 6", "7, 10", "8 and 9" and "11–16" name."""
    found = re.findall(r"(\d+)(?:(?:–| to )(\d+))?", text)
    return {n for a, b in found for n in range(int(a), int(b or a) + 1)}


def test_all_parts_of_the_course_are_linked_from_its_first_page():
    first = (BOOK / "teach.md").read_text(encoding="utf-8")
    pages_ = [path.name for path in BOOK.glob("teach_*.md")] + ["assignments.md", "capstone.md"]
    examples = [f"capstone/{path.name}" for path in (ROOT / "notebooks/capstone").glob("*.ipynb")]
    for name in [*pages_, *examples]:
        assert f"{name})" in first or f"{name}#" in first, f"teach.md does not link {name}"
    assert "```{slide-decks}" in first and "```{course-downloads}" in first


def test_the_guide_types_no_address_of_the_repository():
    repository = address.repository()
    for path in BOOK.glob("teach*.md"):
        assert repository not in path.read_text(encoding="utf-8"), path.name


# --- the pages -------------------------------------------------------------------------------


def test_the_bank_is_on_the_site_with_its_files(site):
    html = (site / "book" / "teach_questions.html").read_text(encoding="utf-8")
    for q in questions.bank():
        assert f'id="{q.id}"' in html
    for name in bank.FILES.values():
        assert (site / bank.FOLDER / name).stat().st_size > 10_000
        assert f"../{bank.FOLDER}/{name}" in html
    assert "teach.js" in html
    assert "teach.js" not in (site / "book" / "teach.html").read_text(encoding="utf-8")


def test_a_worked_capstone_opens_only_where_its_data_are(site):
    for path in (ROOT / "notebooks" / "capstone").glob("*.ipynb"):
        html = (site / "notebooks" / "capstone" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f"notebooks/capstone/{path.name}" in html and "mybinder.org" in html
        assert "colab.research" not in html
        opens = f"../../lab/notebooks/index.html?path=capstone/{path.name}"
        assert (opens in html) is (site / "lab" / "about.json").exists()


def test_printed_book_leaves_the_bank_out(site):
    text = (site / "book" / "print.html").read_text(encoding="utf-8")
    assert 'id="book-teach_chapters"' in text and 'id="q01-1"' not in text
    assert set(print_page.NOT_PRINTED) <= set(chapters.pages())


@pytest.mark.browser
def test_the_bank_can_be_filtered_by_keyboard(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}book/teach_questions.html")
    whole = page.locator(".bank-card").count()
    assert page.locator(".bank-card:visible").count() == whole
    page.locator("select[name=chapter]").select_option("3")
    some = [q for q in questions.bank() if q.chapter == 3]
    assert page.locator(".bank-card:visible").count() == len(some)
    count = page.locator("[data-bank-filter]").get_by_role("status")
    assert count.inner_text() == f"{len(some)} of {whole} questions"
    page.locator("select[name=place]").select_option("bank")
    assert page.locator(".bank-card:visible").count() == sum(not q.in_quiz for q in some)
    page.get_by_role("button", name="Show all").focus()
    page.keyboard.press("Enter")
    assert page.locator(".bank-card:visible").count() == whole
    page.goto(f"{site_url}book/teach_hub.html")
    page.get_by_label("Address of your hub").fill("https://hub.uni.example/base/")
    link = page.locator("a[data-hub]").first.get_attribute("href")
    assert link.startswith("https://hub.uni.example/base/hub/user-redirect/git-pull?repo=")
    page.close()


@pytest.mark.browser
def test_the_bank_needs_no_script(site_url, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}book/teach_questions.html")
    assert page.locator(".bank-card:visible").count() == len(questions.bank())
    assert page.locator(".bank-filter:visible").count() == 0
    context.close()


# --- the hub ---------------------------------------------------------------------------------


def test_hub_links_lead_to_the_configured_repository():
    repository, branch = address.repository(), address.branch()
    for one in CHAPTERS:
        link = urlsplit(hub.hub_link("https://h.example/", f"notebooks/{one.name}.ipynb"))
        assert link.path == "/hub/user-redirect/git-pull"
        asked = parse_qs(link.query)
        assert asked["repo"] == [repository] and asked["branch"] == [branch]
        folder = repository.rpartition("/")[2]
        assert asked["urlpath"] == [f"lab/tree/{folder}/notebooks/{one.name}.ipynb"]


def instructions() -> list[tuple[str, str]]:
    text = (BOOK / "hub" / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_the_image_is_pinned_and_runs_as_nobody_special():
    steps = instructions()
    names = [name for name, _ in steps]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+@sha256:[0-9a-f]{64}", dict(steps)["FROM"])
    assert names.count("FROM") == 1 and names.index("USER") > max(
        k for k, name in enumerate(names) if name in ("RUN", "COPY")
    )
    assert dict(steps)["USER"] not in ("0", "root")
    for _, run in (step for step in steps if step[0] == "RUN"):
        for install in re.findall(r"pip install [^&]*", run):
            assert "--require-hashes -r" in install or "--no-deps" in install, install
    kept = (BOOK / "hub" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for name, what in steps:
        for source in what.split()[:-1] if name == "COPY" else []:
            assert (ROOT / source).exists() and f"!{source}" in kept, source


def test_the_image_starts_alone_and_on_a_hub(tmp_path):
    command = json.loads(next(what for name, what in instructions() if name == "CMD"))
    for name in ("jupyter", "jupyterhub-singleuser"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
        (tmp_path / name).chmod(0o755)
    for token, wanted in (("", "jupyter lab"), ("x", "jupyterhub-singleuser")):
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "JUPYTERHUB_API_TOKEN": token}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(wanted)


def pins(path: Path) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9_.-]+)==([^ ;\\]+)", path.read_text(), re.M | re.I))


def test_the_hub_lock_agrees_with_the_books_lock():
    book, hub = pins(ROOT / "requirements.lock"), pins(BOOK / "hub" / "hub.lock")
    shared = {name for name, _ in book} & {name for name, _ in hub}
    assert {p for p in hub if p[0] in shared} <= book, "run make lock"
    wanted = re.findall(r"^([a-z-]+)", (BOOK / "hub" / "hub.in").read_text(), re.M)
    assert set(wanted) <= {name for name, _ in hub}
    text = (BOOK / "hub" / "hub.lock").read_text()
    assert text.count("--hash=sha256:") > len(hub) and not re.search(r"https?://|--index", text)


def test_settings_shown_for_kubernetes_are_yaml():
    page = (BOOK / "teach_hub.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(re.search(r"```yaml\n(.*?)```", page, re.S)[1])
    assert shown["singleuser"]["cmd"] == "jupyterhub-singleuser"


def test_commands_to_type_are_sound_shell():
    for block in (hub.stick_commands(), hub.stick_install(), hub.tljh_commands()):
        script = block.removeprefix("```sh\n").removesuffix("\n```")
        done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr


# --- the measurements ------------------------------------------------------------------------


def test_a_notebook_is_measured_in_a_kernel_of_its_own(tmp_path, monkeypatch):
    import nbformat

    monkeypatch.setattr(measure, "NOTEBOOKS", tmp_path)
    cells = [nbformat.v4.new_code_cell("x = bytearray(60_000_000)\nfor k in range(10**6): pass")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    found = measure.measure(tmp_path / "01_a.ipynb")
    assert 0 < found["seconds"] < 60 and 80 < found["megabytes"] < 1000


def test_the_labs_time_is_measured_alone_and_the_rest_is_kept(tmp_path, monkeypatch):
    record = tmp_path / "measured.json"
    kept = {"seconds": 1.0, "megabytes": 90, "lab_seconds": 2.0}
    rows = {"01_a": kept, "02_b": kept}
    record.write_text(json.dumps({"where": "here", "server_megabytes": 87, "notebooks": rows}))
    for name in rows:
        (tmp_path / f"{name}.ipynb").write_text("{}")
    monkeypatch.setattr(measure, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(measure, "ROOT", tmp_path)
    monkeypatch.setattr(measure, "RECORD", record)
    monkeypatch.setattr(measure, "measure_lab", lambda path: {"lab_seconds": 5.5})
    monkeypatch.setattr(sys, "argv", ["measure", "--lab", "02"])
    assert measure.main() == 0
    rows["02_b"] = kept | {"lab_seconds": 5.5}
    assert json.loads(record.read_text()) == {
        "where": "here", "server_megabytes": 87, "notebooks": rows,
    }  # fmt: skip


def test_the_table_shows_what_was_recorded():
    noted = json.loads(hub.MEASURED.read_text(encoding="utf-8"))
    assert "Python" in noted["where"] and noted["server_megabytes"] > 20
    text = hub.measured_notebooks()
    for one in CHAPTERS:
        row = next(line for line in text.splitlines() if f"{one.name}.ipynb" in line)
        found = noted["notebooks"].get(one.name)
        assert (f"| {found['megabytes']:.0f} |" if found else "| – |") in row
        seconds = (found or {}).get("lab_seconds")
        assert row.endswith("| – |" if seconds is None else f"| {seconds:.0f} |")


def test_all_parts_of_the_guide_are_known():
    for path in BOOK.glob("teach*.md"):
        for name in re.findall(r"^```\{([a-z0-9-]+)\}", path.read_text(encoding="utf-8"), re.M):
            assert name in GENERATED, (path.name, name)
