"""The quiz on a chapter's page: marked, scored, remembered and exported, in this browser only."""

from __future__ import annotations

import json

import pytest

from book.press.course import questions

CHAPTER = "notebooks/01_one_stream_two_models"
QUIZ = questions.quiz("01_one_stream_two_models")


def place(number: int, right: bool) -> int:
    """Give where on the page an answer to a question stands, counted over all answers."""
    before = sum(len(answers) for _, answers in QUIZ[: number - 1])
    return before + [answer.right for answer in QUIZ[number - 1][1]].index(right)


def open_answer(page, number: int, right: bool, scripts: bool = True) -> None:
    open_nth(page, place(number, right), scripts)


def open_nth(page, k: int, scripts: bool = True) -> None:
    """Open an answer and wait for its mark: a browser tells the page of it a moment later."""
    summary = page.locator("details.answer summary").nth(k)
    summary.click()
    if scripts:
        summary.locator(".answer-mark").wait_for()


@pytest.fixture
def page(site_url, browser):
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(f"{site_url}{CHAPTER}.html")
    yield page
    context.close()


@pytest.mark.browser
def test_right_and_wrong_answers_look_and_read_differently(page):
    open_answer(page, 1, right=True)
    open_answer(page, 2, right=False)
    opened = page.locator("details.answer[open]")
    assert opened.nth(0).locator("summary").inner_text().endswith("✓ right")
    assert opened.nth(1).locator("summary").inner_text().endswith("✗ not right")
    looks = [
        opened.nth(k).evaluate("e => [getComputedStyle(e).borderTopStyle, "
                               "getComputedStyle(e).borderTopColor]")
        for k in range(2)
    ]  # fmt: skip
    assert looks[0][0] != looks[1][0] and looks[0][1] != looks[1][1]


@pytest.mark.browser
def test_the_first_answer_counts_and_looking_at_the_others_does_not(page):
    score = page.locator(".quiz-panel [role=status]")
    assert "5 questions" in score.inner_text()
    open_answer(page, 1, right=False)
    open_answer(page, 1, right=True)
    open_answer(page, 2, right=True)
    assert score.inner_text().startswith("1 right of 2 answered")
    outcomes = page.locator(".quiz-outcomes li").all_inner_texts()
    assert len(outcomes) == 4
    assert [text.rsplit(": ", 1)[1] for text in outcomes if text.startswith("Outcome 1.4")] == [
        "1 of 1 right"
    ]
    assert "name the rivals" in " ".join(outcomes)


@pytest.mark.browser
def test_missed_questions_can_be_tried_again_by_keyboard(page):
    again = page.get_by_role("button", name="Try the missed questions again")
    assert not again.is_visible()
    open_answer(page, 1, right=False)
    open_answer(page, 2, right=True)
    again.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.answer[open]").count() == 1
    assert page.evaluate("document.activeElement.matches('details.answer summary')")
    for _ in range(place(1, right=True)):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("details.answer .answer-mark").nth(1).wait_for()
    score = page.locator(".quiz-panel [role=status]").inner_text()
    assert score.startswith("2 right of 2 answered")
    assert not again.is_visible()


@pytest.mark.browser
def test_what_was_missed_yesterday_is_asked_again(page):
    open_answer(page, 1, right=False)
    open_answer(page, 2, right=True)
    page.reload()
    assert page.locator("details.answer[open]").count() == 2
    page.evaluate("""() => {
        const key = "static-vs-dynamic:quiz", kept = JSON.parse(localStorage.getItem(key));
        for (const record of Object.values(kept)) for (const one of record.tries) {
            one.at = new Date(Date.now() - 24 * 3600 * 1000).toISOString();
        }
        localStorage.setItem(key, JSON.stringify(kept));
    }""")
    page.reload()
    assert page.locator("details.answer[open]").count() == 1
    assert page.get_by_text("You missed this one last time").count() == 1
    assert page.locator(".quiz-score").inner_text().startswith("1 right of 1 answered")


@pytest.mark.browser
def test_two_tabs_keep_each_others_answers(page, site_url):
    other = page.context.new_page()
    other.goto(f"{site_url}notebooks/02_the_specialist.html")
    for tab in (other, page):  # both were opened before either was answered
        open_nth(tab, 0)
    kept = json.loads(page.evaluate("localStorage['static-vs-dynamic:quiz']"))
    assert {record["outcome"][:2] for record in kept.values() if record["tries"]} == {"1.", "2."}


@pytest.mark.browser
def test_the_answers_can_be_saved_as_json_and_nothing_is_sent(page):
    sent = []
    page.on("request", lambda request: sent.append((request.method, request.url)))
    page.evaluate("localStorage.setItem('static-vs-dynamic:cover', 'online line')")
    told = {"02_the_specialist": {"words": "the trees"}, "never": True}
    page.evaluate(
        "told => localStorage.setItem('static-vs-dynamic:predict', told)", json.dumps(told)
    )
    open_answer(page, 1, right=False)
    open_answer(page, 2, right=True)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save my answers as a file").click()
    assert waiting.value.suggested_filename == "quiz-answers.json"
    kept = json.loads(waiting.value.path().read_text(encoding="utf-8"))
    assert (kept["format"], kept["predicted"]) == ("static-vs-dynamic quiz 1", "online line")
    assert kept["predictions"] == {"02_the_specialist": {"words": "the trees"}}
    first, second = kept["answers"]
    assert (first["question"], first["outcome"], first["right"]) == ("q01-1", "1.3", False)
    assert (second["question"], second["outcome"], second["right"]) == ("q01-2", "1.4", True)
    assert first["answer"] == "ABC"[place(1, right=False)]
    asked = [(how, url) for how, url in sent if not url.startswith("blob:")]
    assert [(how, url) for how, url in asked if how != "GET" or "?" in url] == []
    assert {url.split("/")[2] for _, url in asked} <= {page.url.split("/")[2]}


@pytest.mark.browser
def test_without_scripts_every_answer_opens_and_there_is_no_panel(site_url, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}{CHAPTER}.html")
    open_answer(page, 1, right=True, scripts=False)
    answer = page.locator("details.answer").nth(place(1, right=True))
    assert answer.locator("p").is_visible() and answer.inner_text().count("Right.") == 1
    assert page.locator(".quiz-panel").count() == 0
    context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_quiz_fits_a_phone_and_can_be_read(site_url, browser, scheme):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(f"{site_url}{CHAPTER}.html")
    for number in range(1, len(QUIZ) + 1):
        open_answer(page, number, right=bool(number % 2))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    found = Axe().run(page, context="#quiz").response["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['target']}" for one in found] == []
    context.close()


@pytest.mark.browser
def test_every_chapter_has_its_quiz_scored(site_url, browser):
    page = browser.new_page()
    for name in ("05_checked_before_it_ships", "12_medicine", "21_choosing"):
        page.goto(f"{site_url}notebooks/{name}.html")
        asked = questions.quiz(name)
        assert f"{len(asked)} questions" in page.locator(".quiz-score").inner_text()
        for k, (_, answers) in enumerate(asked):
            at = [answer.right for answer in answers].index(True)
            open_nth(page, 3 * k + at)
        score = page.locator(".quiz-score").inner_text()
        assert score.startswith(f"{len(asked)} right of {len(asked)} answered"), name
    page.close()
