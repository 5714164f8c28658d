import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest
from tests.unit.report.conftest import HOSTILE
from tests.unit.report.synthetic import report_slice, tables

from polyscape.report import words
from polyscape.report.drawing import molecule_svg
from polyscape.report.figures import figures
from polyscape.report.model import Completeness
from polyscape.report.packing import packing_drawing
from polyscape.report.page import page_html
from polyscape.report.picture import landscape_png
from polyscape.report.write import write_report
from polyscape.stages.report import report_data

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """Tags with attributes, texts outside of scripts, and whether every tag is closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open, self.scripts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.texts).append(data)


@pytest.fixture(scope="module")
def page(data):
    return Outline(page_html(data))


def test_the_page_is_well_formed(page):
    assert page.open == []


def test_nothing_on_the_page_points_to_the_network(page):
    for tag, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            target = attributes.get(name) or ""
            assert not re.match(r"(?i)\s*(https?:|//|ftp:)", target), (tag, attributes)
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_hostile_texts_are_shown_not_run(data, hostile_data):
    page = Outline(page_html(hostile_data))
    assert page.open == []
    # theme, data, plotly, page: no script more than on a page without hostile names
    assert sum(tag == "script" for tag, _ in page.tags) == 4
    assert any(HOSTILE in text for text in page.texts)
    embedded = json.loads(page.scripts[1])
    shown = json.dumps([f["data"] for f in embedded["figures"].values()])
    assert "<script" not in shown


def test_the_page_of_a_salt_says_what_its_zero_is_worth(data):
    ion = replace(data.components[0], charge=-1)
    assert words.ZERO_OF_SALTS in "".join(Outline(page_html(replace(data, components=(ion,)))).texts)
    assert words.ZERO_OF_SALTS not in page_html(data)


def test_figures_are_valid_plotly(data):
    made = figures(data)
    assert {"landscape-0", "landscape-1", "landscape-2", "ranking-plot", "ranks-plot", "cost-plot"} <= set(
        made
    )
    for figure in made.values():
        text = re.sub(r'"var\(--font\)"', '"Arial"', json.dumps(figure))
        go.Figure(json.loads(re.sub(r'"var\(--[a-z0-9-]+\)"', '"#123456"', text)))


def test_figures_use_only_colours_that_both_schemes_define(data, page):
    style = "".join(page.texts)
    light, dark = style.split(':root[data-theme="dark"]')
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", json.dumps(figures(data))))
    for name in used - {"--font"}:
        assert f"{name}:" in light
        assert f"{name}:" in dark


def test_every_structure_is_marked_once_in_each_landscape(data):
    for place in range(3):
        traces = figures(data)[f"landscape-{place}"]["data"]
        ids = [item[0] for trace in traces for item in trace.get("customdata", [])]
        assert sorted(ids) == sorted(s.structure_id for s in data.structures)


def test_predicted_points_have_error_bars_and_computed_ones_none(data):
    by_name = {trace["name"]: trace for trace in figures(data)["landscape-2"]["data"]}
    assert min(by_name["predicted"]["error_y"]["array"]) > 0
    assert "error_y" not in by_name["computed"]


def test_the_table_has_a_row_per_structure_and_links_to_files_that_are_written(data, page, tmp_path):
    written = write_report(data, tmp_path)
    assert all(path.exists() for path in written)
    rows = [a["data-id"] for tag, a in page.tags if tag == "tr" and "data-id" in a]
    assert rows == [s.structure_id for s in data.structures]
    for tag, attributes in page.tags:
        target = attributes.get("href", "")
        if tag == "a" and not target.startswith("#"):
            assert (tmp_path / target).is_file(), target


def test_cifs_of_an_earlier_run_go(data, tmp_path):
    stale = tmp_path / "cif" / "014-7777777.cif"
    stale.parent.mkdir()
    stale.write_text("old")
    write_report(data, tmp_path)
    assert not stale.exists()


def test_the_same_tables_give_the_same_bytes(data):
    again = report_data(tables(), report_slice(), {"gpaw": "26.7.0"})
    assert page_html(again) == page_html(data)
    assert landscape_png(again) == landscape_png(data)


def test_a_campaign_without_known_forms_or_calibration_has_a_page():
    given = tables()
    bare = {
        "known_forms": given.known_forms.iloc[:0],
        "calibration": given.calibration.iloc[:0],
        "posteriors": (),
    }
    ranking = given.ranking.assign(known_form=None)
    landscape = given.landscape.assign(known_form=None, known_forms=None)
    given = type(given)(**{**vars(given), **bare, "ranking": ranking, "landscape": landscape})
    made = report_data(given, report_slice(), {})
    assert "names no known form" in page_html(made)
    assert landscape_png(made).startswith(b"\x89PNG")


def rows_under(page, heading):
    """The texts between a heading and the next section."""
    texts = [text.strip() for text in page.texts if text.strip()]
    start = texts.index(heading)
    return texts[start : texts.index("Uncertainty", start)]


def test_completeness_stands_under_its_heading(data):
    series = (
        Completeness("014", 512, 300, 40, 9, 5, 19.5, 0.97, 0.01),
        Completeness("002s", 128, 0, 0, 0, 0, 0.0, None, None),
    )
    growth = (
        Completeness("all", 256, 150, 35, 12, 35, 136.7, 0.92, 0.023),
        Completeness("all", 640, 300, 40, 9, 5, 13.0, 0.97, 0.01),
    )
    search = replace(data.search, series=series, growth=growth)
    shown = rows_under(Outline(page_html(replace(data, search=search))), "How complete it is")
    columns = ["trials", "hits", "distinct", "hit once", "new", "new per 1000 trials", "coverage"]
    assert shown[shown.index("series") :][:8] == ["series", *columns]
    assert shown[shown.index("014") :][:8] == ["014", "512", "300", "40", "9", "5", "19.5", "97.0 ± 1.0 %"]
    assert shown[shown.index("002s") :][:8] == ["002s", "128", "0", "0", "0", "0", "0.0", "–"]
    assert shown[-14:] == [
        *("256", "150", "35", "12", "35", "136.7", "92.0 ± 2.3 %"),
        *("640", "300", "40", "9", "5", "13.0", "97.0 ± 1.0 %"),
    ]
    page = page_html(replace(data, search=search))
    assert "97 % of further hits" in page
    empty = page_html(replace(data, search=replace(search, series=(), growth=())))
    assert "How complete it is" not in empty
    assert "of further hits" not in empty


def test_under_pressure_the_page_speaks_of_enthalpy(data):
    under = replace(data, pressure_GPa=2.5)
    assert "energy above rank 1" not in page_html(under)
    assert "energy above the lowest / kJ" not in page_html(under)
    assert "enthalpy at 2.5 GPa above rank 1" in page_html(under)
    assert figures(under)["landscape-0"]["layout"]["yaxis"]["title"]["text"].startswith("enthalpy at 2.5 GPa")
    assert "enthalpy" not in page_html(data)
    assert landscape_png(under) != landscape_png(data)


def test_the_summary_says_what_was_found_and_how_sure_that_is(data):
    sentences = words.summary(data)
    assert "P(rank 1) =" in sentences[0]
    assert any(re.search(r"alpha is rank \d+ at pbe0-d3", text) for text in sentences)
    assert any("beta was not found (its conformer, ttt, was not searched)" in text for text in sentences)
    # (600 + 1800) of (30000 + 120000) core seconds, a quarter of them found in the store
    assert any("1.6 %" in text and "10 min of it was found in the store" in text for text in sentences)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "< 0.01"), (0.004, "< 0.01"), (0.2, "0.20"), (1.0, "> 0.99"), (0.995, "> 0.99")]
)
def test_probabilities_are_never_certain(value, text):
    assert words.probability(value) == text


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert words.number(-1.234) == "−1.23"
    assert words.number(-0.001) == "0.00"
    assert words.number(None) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12.0, "12 s"), (90.0, "1.5 min"), (7200.0, "2 h"), (172800.0, "2 d"), (1e9, "11,574 d")],
)
def test_durations_take_the_unit_that_fits(seconds, text):
    assert words.duration(seconds) == text


def test_symmetry_symbols_are_printed_with_subscripts_and_bars():
    assert words.symmetry_parts("P2_1/c") == [("P2", ""), ("1", "sub"), ("/c", "")]
    assert words.symmetry_parts("P-1") == [("P1\N{COMBINING OVERLINE}", "")]


def test_a_drawing_needs_a_valid_smiles():
    assert molecule_svg("OC(=O)C(=O)O").startswith("<svg")
    assert molecule_svg(HOSTILE) == ""


def test_the_packing_has_whole_molecules(data):
    crystal = data.structures[0].atoms.copy()
    crystal.wrap()
    drawing = packing_drawing(crystal)
    atoms = len(drawing["elements"])
    assert atoms % 8 == 0
    assert atoms >= len(crystal)
    assert len(drawing["xyz"]) == 3 * atoms
    assert len(drawing["bonds"]) // 2 == 7 * (atoms // 8)
