"""Figures for phones: kept for nearly every one, narrow, with text that can be read there."""

import json

import pytest
from matplotlib.text import Text
from PIL import Image

from book.press.places import PHONE, phone_picture
from book.press.upkeep import phone
from companion import plots, streams


def test_nearly_every_figure_has_its_phone_picture():
    wide = {phone_picture(picture) for picture in phone.wide_pictures()}
    kept = set(PHONE.glob("*.webp"))
    assert kept <= wide, f"left from older figures: {sorted(kept - wide)}"
    assert len(wide - kept) < 0.06 * len(wide), f"{len(wide - kept)} of {len(wide)} have none"
    for path in kept:
        with Image.open(path) as picture:
            assert 650 < picture.width < 760, path


LONG = ["refitted every 30 days, on all rows", "frozen, with the last label"]


def lines_with_long_names():
    title = "A finding so long that no phone has room for it in a line"
    fig, ax = plots.figure(title, x="row", y="error")
    for k, (name, colour) in enumerate(zip(LONG, ["blue", "green"], strict=True)):
        ax.plot([0, 1], [k, 2 * k + 1], color=colour, label=name)
    plots.label_ends(ax, 1, {LONG[0]: (1, "blue"), LONG[1]: (3, "green")})
    return fig


def bars_with_long_names():
    fig, ax = plots.figure("Bars", x="", y="a unit of which much is to be said, in rides a day")
    ax.bar(range(6), range(6))
    ax.set_xticks(range(6), [f"a strategy, {k} labels late" for k in range(6)])
    return fig


def four_panels():
    fig, axes = plots.panels("Four", ["bikes", "glucose", "rain", "wind"], x="row", y="error")
    for ax in axes:
        ax.text(0.5, 0.5, "words in the picture that go on and on", transform=ax.transAxes)
    return fig


def table_of_numbers():
    import numpy as np

    fig, ax = plots.figure("Cells", x="tested on", y="fitted on")
    names = [f"2011 Q{k}" for k in range(8)]
    plots.heat(ax, 10_000 + np.arange(64.0).reshape(8, 8), names, names)
    return fig


@pytest.mark.parametrize(
    "draw", [lines_with_long_names, bars_with_long_names, four_panels, table_of_numbers]
)
def test_a_narrow_figure_can_be_read(draw):
    fig = draw()
    said = {text.get_text() for text in fig.findobj(Text)} | {
        name for ax in fig.axes for name in ax.get_legend_handles_labels()[1]
    }
    phone.narrow(fig)
    assert phone.faults(fig) == 0
    assert fig.get_figwidth() == phone.WIDTH
    assert min(text.get_fontsize() for text in fig.findobj(Text) if text.get_text()) * 4 / 3 >= 11
    whole = json.dumps([" ".join(text.get_text().split()) for text in fig.findobj(Text)])
    assert all(" ".join(name.split()) in whole for name in said), "words were lost"


def test_names_of_one_colour_are_numbered():
    fig, ax = plots.figure("Points", x="", y="")
    for k in range(3):
        ax.annotate(
            f"a strategy with a long name, {k}",
            (k, k),
            xytext=(8, 0),
            textcoords="offset points",
            color="red",
        )
        ax.plot(k, k, "o", color="red")
    phone.narrow(fig)
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    (legend,) = fig.legends
    assert [text.get_text() for text in legend.get_texts()][
        2
    ].split() == "3 a strategy with a long name, 2".split()


def test_what_a_build_draws_has_its_phone_picture_too(site):
    cards = len(streams.cards())
    data, haul = ((site / "book" / f"{name}.html").read_text() for name in ("data", "benchmarks"))
    assert data.count("<source media") >= cards - 1 and data.count("figure-scrolls") <= 1
    assert haul.count("<source media") == 1 and "figure-scrolls" not in haul


@pytest.mark.browser
@pytest.mark.parametrize(("width", "narrow"), [(360, True), (1280, False)])
def test_a_phone_is_shown_the_narrow_figure(site_url, browser, width, narrow):
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{site_url}notebooks/01_one_stream_two_models.html")
    seen = 0
    for link in page.locator(".cell_output .figure-link").all():
        link.evaluate("link => link.scrollIntoView()")
        image = link.locator("img")
        if not image.is_visible():  # what is to be predicted first
            continue
        image.evaluate("image => image.decode()")
        shown, box = image.evaluate("image => image.currentSrc"), image.bounding_box()
        pixels = image.evaluate("image => image.naturalWidth")
        moving = image.evaluate("image => Boolean(image.closest('.companion-frames'))")
        assert box["width"] <= width
        assert (pixels < 760) == narrow, shown
        assert moving or ("/phone/" in shown) == narrow, shown
        seen += 1
    assert seen > 3
    page.close()
