"""The page in a real browser, from file://: figures drawn, table sorted, nothing asked of the network."""

import json
import shutil
import time
from pathlib import Path

import pytest

from polyscape.report.write import write_report
from polyscape.stages.report import report_data
from tests.unit.report.synthetic import Names, report_slice, tables

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("CHROMIUM OR CHROMEDRIVER IS NOT INSTALLED: the report's page is not tested in a browser")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    for flag in (
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.get("about:blank")
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def page_path(tmp_path_factory):
    names = Names(citation=HOSTILE, message=HOSTILE, smiles=HOSTILE, component=HOSTILE)
    folder = tmp_path_factory.mktemp("report")
    write_report(report_data(tables(names), report_slice(), {}), folder)
    return folder / "index.html"


def load(browser, path, width=1280, scheme="light"):
    """Open the page in a window of a width and wait until its script has drawn everything."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    for kind in ("browser", "performance"):
        browser.get_log(kind)  # what came before is not ours
    browser.get(Path(path).as_uri())
    deadline = time.monotonic() + 60
    while not browser.execute_script("return document.documentElement.dataset.ready"):
        assert time.monotonic() < deadline, browser.get_log("browser")
        time.sleep(0.1)


def requests(browser):
    """Addresses that the page asked for since it was opened."""
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = (m["params"] for m in messages if m["method"] == "Network.requestWillBeSent")
    return [p["request"]["url"] for p in sent if p.get("documentURL", "").startswith("file:")]


def column(browser, index):
    script = "return [...document.querySelectorAll('#ranking-table tbody tr')].map(r => r.cells[arguments[0]].dataset.sort)"
    return browser.execute_script(script, index)


def test_the_page_loads_without_network_and_without_complaint(browser, page_path):
    load(browser, page_path)
    asked = requests(browser)
    assert page_path.as_uri() in asked
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert browser.get_log("browser") == []


def test_every_figure_is_drawn_and_known_forms_are_named(browser, page_path):
    load(browser, page_path)
    for place in browser.find_elements("css selector", ".plot"):
        assert place.find_elements("css selector", "svg.main-svg"), place.get_attribute("id")
    labels = browser.execute_script(
        "return [...document.querySelectorAll('#landscape-0 .annotation-text')].map(e => e.textContent)"
    )
    assert labels == ["alpha", "beta (not found)"]
    points = "return document.querySelectorAll('#landscape-2 .scatterlayer path.point').length"
    assert browser.execute_script(points) == 36 + 1  # every structure, and the ring of the selected one


def test_hostile_texts_are_text(browser, page_path):
    load(browser, page_path)
    assert browser.find_elements("css selector", "img") == []
    assert HOSTILE in browser.find_element("css selector", ".citation").text


def test_a_click_sorts_the_table_and_a_second_one_turns_it(browser, page_path):
    load(browser, page_path)
    heads = browser.find_elements("css selector", "#ranking-table th")
    density = next(
        i for i, head in enumerate(heads) if head.get_attribute("data-label").startswith("density")
    )
    for order in (1, -1):
        browser.execute_script("arguments[0].click()", heads[density].find_element("css selector", "button"))
        values = [float(value) for value in column(browser, density)]
        assert values == sorted(values)[::order]
    browser.execute_script("arguments[0].click()", heads[0].find_element("css selector", "button"))
    assert [int(value) for value in column(browser, 0)] == list(range(1, 37))


def test_choosing_a_row_rings_its_mark_in_every_landscape_and_draws_its_packing(browser, page_path):
    load(browser, page_path)
    row = browser.find_elements("css selector", "#ranking-table tbody tr")[3]
    browser.execute_script("arguments[0].click()", row)
    name = row.get_attribute("data-id")
    assert browser.find_element("id", "selected-name").get_attribute("textContent").startswith(name)
    for place in range(3):
        trace = f"document.getElementById('landscape-{place}').data.find(t => t.name === 'selected')"
        assert len(browser.execute_script(f"return {trace}.x")) == 1
    inked = """const c = document.getElementById('packing');
        return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"""
    assert browser.execute_script(inked)


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_and_texts_are_readable(browser, page_path, width, scheme):
    load(browser, page_path, width, scheme)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script("return document.documentElement.dataset.theme") == scheme
    for colour in ("--ink", "--soft", "--accent"):
        for ground in ("--page", "--card"):
            # WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for running text
            assert contrast(browser, colour, ground) >= 4.5, (colour, ground)


def contrast(browser, ink, ground):
    """Contrast ratio of two CSS variables (WCAG 2.2, relative luminance)."""
    luminances = []
    for name in (ink, ground):
        text = browser.execute_script(
            "return getComputedStyle(document.documentElement).getPropertyValue(arguments[0])", name
        )
        channels = [int(text.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminances.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    low, high = sorted(luminances)
    return (high + 0.05) / (low + 0.05)
