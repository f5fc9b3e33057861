"""The ledger: a card for each claim, nothing cut, filtered, and the same words on every page."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import pytest

from book.press import chapters
from book.press.site import claims_map, conditions, ledger, other_worlds, prices
from companion import claims

# Elements that reach beyond the window, or whose text reaches beyond themselves.
CUT = """(outer) => [...document.querySelectorAll(`${outer}, ${outer} *`)].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < -1
        || (e.clientWidth && e.scrollWidth > e.clientWidth + 1));
}).map((e) => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`)"""


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_of_the_ledger_is_cut(site_url, browser, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site_url}book/claims.html")
    assert page.locator("ol.ledger > li").count() == 21
    assert page.locator("ol.ledger .outcome").count() == sum(map(len, chapters.verdicts().values()))
    assert page.evaluate(CUT, "ol.ledger") == []
    assert page.evaluate(CUT, ".bank-filter") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.browser
def test_the_ledger_is_filtered_by_part_verdict_and_data(site_url, browser):
    page = browser.new_page()
    page.goto(f"{site_url}book/claims.html")
    form = page.locator(".bank-filter")
    status = form.get_by_role("status")
    assert status.inner_text() == "21 of 21 claims"
    form.get_by_label("Part").select_option("Online")
    online = [claim.id for claim in claims.CLAIMS.values() if claim.part == "Online"]
    shown = page.locator("ol.ledger > li:visible .ledger-claim b")
    assert shown.all_inner_texts() == online
    form.get_by_label("Data").select_option("sleep_study")
    assert shown.all_inner_texts() == ["O3"]
    page.get_by_role("button", name="Show all").click()
    form.get_by_label("Verdict").select_option("supported")
    supported = [
        name for name, records in chapters.verdicts().items()
        if any(record["outcome"] == "supported" for _, record in records)
    ]  # fmt: skip
    assert sorted(shown.all_inner_texts()) == sorted(supported)
    page.close()


@pytest.mark.browser
def test_the_ledger_needs_no_script(site_url, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site_url}book/claims.html")
    assert page.locator("ol.ledger > li:visible").count() == 21
    assert page.locator(".bank-filter:visible").count() == 0
    context.close()


def test_landing_page_ledger_and_chapters_say_the_same_of_a_claim(site):
    landing = words((site / "book" / "index.html").read_text(encoding="utf-8")).lower()
    board = words((site / "book" / "claims.html").read_text(encoding="utf-8"))
    several = {name: r for name, r in chapters.verdicts().items() if len(r) > 1}
    assert {"S2", "D1"} <= set(several)
    for name, records in several.items():
        said = ledger.standing(records)
        assert said in landing and f"In the whole book: {said}." in board, name
        for notebook, _ in records:
            page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
            assert f"In the whole book: {said} ( ledger )." in words(page), (name, notebook.stem)


def test_a_card_counts_what_the_record_says():
    for records in chapters.verdicts().values():
        for _, record in records:
            counts = ledger.counts(record)
            total = counts.speaks_for + counts.unclear + counts.against
            assert total == len(record["evidence"])
            if record["outcome"] == "supported":
                assert (counts.unclear, counts.against) == (0, 0)
            drawn = ledger.figure(record)
            assert drawn.count('class="speaks-for"') == counts.speaks_for
            assert drawn.count("<circle") == total


def test_a_card_says_in_how_many_other_worlds_its_verdict_is_the_same():
    verdicts = chapters.verdicts()
    lines = [other_worlds.other_worlds(notebook.stem, claim)
             for claim, records in verdicts.items() for notebook, _ in records]  # fmt: skip
    told = re.findall(r">(the same in \d+ of \d+) other worlds<", ledger.overview(verdicts))
    assert sorted(told) == sorted(line.partition(";")[0] for line in lines if line) != []


def test_every_condition_says_that_it_is_the_authors_reading():
    """In the ledger, below the verdict in its chapter, and in the chapter's own text."""
    text = ledger.claims_ledger()
    conditional = [
        (claim, notebook, record) for claim, records in chapters.verdicts().items()
        for notebook, record in records if ledger.kind(record["outcome"]) == "only"
    ]  # fmt: skip
    assert set(conditions.CONDITIONS) < {(claim, int(n.name[:2])) for claim, n, _ in conditional}
    for claim, notebook, record in conditional:
        said = conditions.whose(claim, int(notebook.name[:2]), record["outcome"])
        assert said.startswith("The condition is the author's reading"), (claim, notebook.stem)
        assert said in text, (claim, notebook.stem)
        html = (
            f'<div class="companion-verdict" data-outcome="only"><p><strong>Claim {claim}.'
            f"</strong> …</p><p><strong>Verdict: {record['outcome']}.</strong></p></div>"
        )
        assert said in ledger.with_standing(html, notebook.stem), (claim, notebook.stem)
        prose = " ".join("".join(cell["source"]) for cell in chapters.cells(notebook.stem)
                         if cell["cell_type"] == "markdown")  # fmt: skip
        assert "the author's reading" in prose, notebook.stem
    assert text.count("[Whose condition?]") == len(conditional)
    assert "author" not in conditions.whose("S1", 2, "not supported here")


@pytest.fixture
def planted(monkeypatch):
    """Plant a record in which the claim's side depends on a rule about the world."""

    def plant(holds):
        worlds = {}
        for world in claims_map.errors():
            gap = 1.0 if holds(world) else -1.0
            worlds[world] = {"refit": [5.0] * 5, "frozen": [5.0 + gap] * 5, "triggered": [5.0] * 5}
        monkeypatch.setattr(conditions, "errors", lambda: worlds)
        conditions.compared.cache_clear()
        conditions.by_machine.cache_clear()

    yield plant
    conditions.compared.cache_clear()
    conditions.by_machine.cache_clear()


def test_a_condition_is_counted_where_it_is_met_and_elsewhere(planted):
    planted(lambda world: world[0] != "none")
    assert conditions.where_met("S2", 3) == (84, 84, 0, 12)
    assert conditions.by_machine("S2")["question"] == ("changes", 0.5, True)
    planted(lambda world: world[0] == "none")
    assert conditions.where_met("S2", 3) == (0, 84, 12, 12)
    assert "0 of 84 comparisons are on the claim's side where the rule moves, 12 of 12" in (
        conditions.whose("S2", 3, "only when it moves")
    )


def test_a_machine_finds_the_condition_that_is_there_and_none_where_none_is(planted):
    planted(lambda world: world[1] > 40)
    found = conditions.by_machine("S2")
    assert conditions.in_words(found["question"]) == "more than 70 delay in rows"
    assert (found["seeds"], found["kinds"]) == (1, 1)
    assert found["kinds_same"] == pytest.approx(2 / 3)
    rng = np.random.default_rng(0)
    coin = {world: rng.random() < 0.5 for world in claims_map.errors()}
    planted(coin.get)
    found = conditions.by_machine("S2")
    assert found["kinds"] < 0.65


def test_the_data_of_a_chapter_are_those_that_it_loads():
    assert ledger.data_of("09_learning_you") == ("chick_weights", "liver", "sleep_study")
    assert ledger.data_of("11_markets") == ("bike_sharing", "glucose", "stocks", "wind_turbines")
    assert ledger.data_of("14_quality_control") == ("solder",)


def test_the_map_of_claims_says_what_the_record_says():
    """Every place by the book's own rule, counted again from the record."""
    from scipy import stats

    from companion.streams.record import runs

    table = runs()
    world = (table["real"] == 0) & (table["drift"] == "one jump") & (table["delay"] == 40)
    world &= table["family"] == "linear"
    chances, ups = [], []
    for task, noise in sorted({(r["task"], r["noise"]) for r in table[world]}):
        rows = table[world & (table["task"] == task) & (table["noise"] == noise)]
        frozen, refit = (rows["error"][rows["strategy"] == n] for n in ("frozen", "refit"))
        chances.append(stats.ttest_rel(frozen, refit).pvalue)
        ups.append(frozen.mean() > refit.mean())
    assert all(ups) and max(chances) < 0.05 and len(chances) == 4
    assert claims_map.place("S2", "one jump", 40) == ("for", 4, 4)
    assert set(claims_map.SPEEDS) == set(table["drift"][table["real"] == 0].tolist())
    assert set(claims_map.DELAYS) == set(table["delay"][table["real"] == 0].tolist())
    silent = re.search(r"Of ([^<]*) the record of runs says", claims_map.claims_map())[1]
    assert sorted([*silent.split(", "), *claims_map.COMPARED]) == sorted(claims.CLAIMS)


@pytest.mark.browser
def test_the_map_of_claims_moves_by_keyboard_and_says_so(site_url, browser):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{site_url}book/claims.html")
    form, speeds = page.locator("form.claims-map"), list(claims_map.SPEEDS)
    speed, delay = form.get_by_label("The world"), form.get_by_label("Labels come")
    status = form.get_by_role("status")
    for k, name in enumerate(speeds):
        speed.focus()
        page.keyboard.press("Home")
        for _ in range(k):
            page.keyboard.press("ArrowRight")
        assert speed.get_attribute("aria-valuetext") == claims_map.SPEEDS[name]
        late = list(claims_map.DELAYS)[k % 3]
        delay.fill(str(k % 3))
        for claim in claims_map.COMPARED:
            kind, count, total = claims_map.place(claim, name, late)
            said = form.locator(f"li[data-id={claim}] .map-said").inner_text()
            assert said.endswith(f"{count} of {total} for it")
            holds = re.search(rf"\b{claim}\b", status.inner_text())
            assert bool(holds) == (kind == "for"), (claim, name)
    assert page.evaluate(CUT, "form.claims-map") == []
    page.close()


@pytest.mark.browser
def test_prices_name_the_cheapest_of_the_record(site_url, browser):
    """At each price the table names what the companion's own prices give."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{site_url}book/guide.html")
    form, winners = page.locator("form.prices"), set()
    status = form.get_by_role("status")
    for error, retraining, label, delay in ((1, 0, 0, 0), (1, 7, 0, 0), (1, 0, 6, 1), (6, 3, 2, 2)):
        before = status.inner_text()
        chosen = {"error": error, "retraining": retraining, "label": label, "delay": delay}
        for name, k in chosen.items():
            form.locator(f"[name={name}]").fill(str(k))
        stops = [float(form.locator(f"[name={name}]").get_attribute("data-stops").split(",")[k])
                 for name, k in list(chosen.items())[:3]]  # fmt: skip
        cheapest = form.locator("tbody td:nth-child(2)").all_inner_texts()
        for shown, (world, by_delay) in zip(cheapest, prices.priced().items(), strict=True):
            costs = {name: np.mean(np.array(streams) @ stops)
                     for name, streams in by_delay[delay].items()}  # fmt: skip
            assert shown.split(",")[0] == min(costs, key=costs.get), (world, chosen)
            winners.add(shown)
        assert before != status.inner_text() or chosen["retraining"] == 0
    assert len(winners) > 5
    assert page.evaluate(CUT, "form.prices") == []
    page.emulate_media(media="print")
    assert not form.is_visible()
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("chapter", prices.CHAPTERS)
def test_chapters_that_price_a_verdict_take_the_readers_prices(site_url, browser, chapter):
    """The record comes when the verdict is near, and not before; then it is the guide's table."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site_url}book/guide.html")
    guides = page.locator("form.prices tbody").inner_text()
    page.goto(f"{site_url}notebooks/{chapter}.html")
    form = page.locator("form.prices")
    assert not form.is_visible() and not [url for url in asked if prices.FILE in url]
    page.locator("#the-verdict").scroll_into_view_if_needed()
    page.locator("#when-the-other-side-wins").scroll_into_view_if_needed()
    form.wait_for(state="visible")
    assert form.locator("tbody").inner_text() == guides
    form.locator("[name=retraining]").press("End")
    assert form.locator("tbody").inner_text() != guides
    assert page.evaluate(CUT, "form.prices") == []
    page.close()


def test_prices_are_those_of_the_companion():
    """A run costs its wrong rows, its retrainings, and each label beyond the warm-up."""
    from companion.streams.record import runs

    table = runs()
    row = table[(table["stream"] == "weather") & (table["strategy"] == "refit")]
    row = row[row["family"] == "linear"][0]
    wrong, fits, labels = prices.per_thousand(row)
    scored = row["rows"] - row["warmup"]
    assert wrong == pytest.approx(1000 * row["error"], abs=0.01)
    assert fits == pytest.approx(1000 * row["retrainings"] / scored, abs=0.01) and fits > 0
    assert labels == pytest.approx(1000 * (row["labels_used"] - row["warmup"]) / scored, abs=0.01)
