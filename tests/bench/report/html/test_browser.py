"""The page in a real browser: it asks for nothing, works by mouse and keyboard, and can be read by everyone."""

import csv
import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.budget import Share
from bench.report.writing import write_report
from tests.bench.analysis.example import BACKBONES, READS, STRATEGIES, backbone, example

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a headless browser; `CHROMIUM` may say where it is."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("there is no Chromium: install one, or say where it is in CHROMIUM")
    with sync_playwright() as playwright:
        # Within a container there is often no second sandbox; the page is our own.
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a page with two backbones, failures and gaps."""
    root = tmp_path_factory.mktemp("page")
    write_report(
        example(
            root,
            strategies=(*STRATEGIES, "a_strategy_with_quite_a_long_name"),
            backbones={**BACKBONES, "other": backbone("other", "A backbone with quite a long name", "vision")},
            reads={**READS, "pictures": (*READS["pictures"], "other")},
            failed=[
                {"task": "pictures", "strategy": "full", "budget": Share(0.1), "seed": 1},
                {"backbone": "other", "strategy": "full", "budget": Share(0.1)},
            ],
            not_run=[{"task": "series", "seed": 2, "strategy": "scratch"}],
        )
    )
    return (root / "index.html").as_uri()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Yield the page, opened; whatever it asked for and complained of must be nothing."""
    context = browser.new_context(viewport=WIDE, reduced_motion="reduce")  # type: ignore[arg-type]  # a typed dict
    opened = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(address)
    yield opened
    context.close()
    assert [url for url in asked if url != address and not url.startswith("data:")] == []
    assert complaints == []


def first(page: Page) -> str:
    """Return the selector of the first chart."""
    expect(page.locator("#chart-1")).to_have_count(1)
    return "#chart-1"


def test_a_line_can_be_switched_off_and_on_again(page: Page) -> None:
    chart = first(page)
    line, box = page.locator(f"{chart} .line").nth(1), page.locator(f"{chart} .legend input").nth(1)
    expect(line).to_be_visible()
    box.uncheck()
    expect(line).to_be_hidden()
    box.check()
    expect(line).to_be_visible()


def test_hovering_tells_the_values_of_all_lines_that_are_shown(page: Page) -> None:
    chart = first(page)
    page.locator(f"{chart} .legend input").nth(0).uncheck()
    page.hover(f"{chart} .plot > svg", position={"x": 40, "y": 60})
    expect(page.locator(f"{chart} .tooltip")).to_contain_text("20 labelled examples")
    page.hover(f"{chart} .plot > svg", position={"x": 700, "y": 60})
    tooltip = page.locator(f"{chart} .tooltip")
    expect(tooltip).to_contain_text("200 labelled examples")
    expect(tooltip).to_contain_text("full fine-tuning · Eyes")
    expect(tooltip.locator("span")).to_have_count(page.locator(f"{chart} .line:not(.off)").count())
    page.mouse.move(1, 1)
    expect(tooltip).to_be_hidden()


def test_the_axis_turns_linear_and_back(page: Page) -> None:
    chart = first(page)
    curve = page.locator(f"{chart} .curve").first
    before = curve.get_attribute("d")
    page.locator(f"{chart} input[value=linear]").check()
    assert curve.get_attribute("d") != before
    expect(page.locator(f"{chart} .budgets.linear")).to_have_attribute("visibility", "visible")
    expect(page.locator(f"{chart} .budgets.logarithmic")).to_have_attribute("visibility", "hidden")
    page.locator(f"{chart} input[value=logarithmic]").check()
    assert curve.get_attribute("d") == before


def test_the_leaderboard_sorts_by_mouse_and_by_keyboard_with_gaps_last(page: Page) -> None:
    heading = page.locator("#leaderboard table").first.locator("thead th").nth(-2)  # an area
    place = heading.evaluate("cell => cell.cellIndex")
    column = page.locator("#leaderboard table").first.locator(f"tbody tr > :nth-child({place + 1})")

    def orders() -> list[float | None]:
        given = column.evaluate_all("cells => cells.map((cell) => cell.dataset.order ?? null)")
        return [None if one is None else float(one) for one in given]

    def told(values: list[float | None]) -> list[float]:
        known = [value for value in values if value is not None]
        assert values[: len(known)] == known
        return known

    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert told(orders()) == sorted(told(orders()), reverse=True)
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(heading.get_by_role("button")).to_be_focused()
    assert told(orders()) == sorted(told(orders()))
    assert len(set(told(orders()))) > 1
    assert None in orders()


def test_the_numbers_of_a_chart_are_one_click_away_and_can_be_downloaded(page: Page) -> None:
    section = page.locator("#task-1")
    table = section.locator("table").first
    expect(table).to_be_hidden()
    section.locator("summary").first.click()
    expect(table).to_be_visible()
    with page.expect_download() as download:
        section.locator("a[download]").first.click()
    assert download.value.suggested_filename == "pictures.csv"
    heading, *rows = csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8")))
    assert "mean" in heading
    assert len(rows) == 16  # two backbones, four strategies, two budgets


def test_everything_can_be_reached_by_keyboard_and_shows_where_it_is(page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is there
    reached = set()
    for _ in range(400):
        page.keyboard.press("Tab")
        where, outline = page.evaluate(
            "() => { const at = document.activeElement; "
            "return [at.type || at.className || at.tagName, getComputedStyle(at).outlineStyle] }"
        )
        if where == "BODY":
            break
        assert outline != "none", where
        reached.add(where)
    assert {"checkbox", "radio", "range", "button", "frame", "SUMMARY"} <= reached


def test_values_are_read_by_keyboard_and_told_to_a_screen_reader(page: Page) -> None:
    chart = first(page)
    reader = page.locator(f"{chart} .reader input")
    reader.focus()
    expect(page.locator(f"{chart} .tooltip")).to_be_visible()
    page.keyboard.press("Home")
    expect(page.locator(f"{chart} .reader output")).to_have_text("20 labelled examples")
    told = reader.get_attribute("aria-valuetext") or ""
    assert told.startswith("20 labelled examples: ")
    assert "linear probe · Eyes 0.700" in told
    page.keyboard.press("Escape")
    expect(page.locator(f"{chart} .tooltip")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_width_makes_the_page_scroll_sideways(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.hover("#chart-1 .plot > svg", position={"x": 40, "y": 40})
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("scheme", "viewport"), [("light", WIDE), ("dark", PHONE)], ids=["light", "dark phone"])
def test_the_accessibility_checker_has_nothing_to_say(page: Page, scheme: str, viewport: dict[str, int]) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
    page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a typed dict
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in violations] == []


def test_dark_mode_is_dark_and_print_is_light(page: Page) -> None:
    def paper() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = paper()
    page.emulate_media(color_scheme="dark")
    assert paper() != light
    page.emulate_media(color_scheme="dark", media="print")
    assert paper() == light


def test_on_paper_everything_is_open_and_controls_are_gone(page: Page) -> None:
    page.emulate_media(media="print")
    for selector in (".controls", ".download", ".legend input", "nav"):
        expect(page.locator(selector).first).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0


def test_without_a_script_all_is_there_but_the_controls(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#chart-1 .line").first).to_be_visible()
    expect(page.locator("#chart-1 .controls")).to_be_hidden()
    page.locator("#task-1 summary").first.click()
    expect(page.locator("#task-1 table").first).to_be_visible()
    context.close()
