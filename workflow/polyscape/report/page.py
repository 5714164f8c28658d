"""The page: one HTML file with data, figures, style and plotly's own script inside; it asks the network for nothing.

Everything that comes from a config passes jinja2's autoescape (or plotly's, escaped first).  A content security
policy with the hash of each script and no network source makes the browser hold what the page promises.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from polyscape.report import words
from polyscape.report.drawing import molecule_svg
from polyscape.report.export import file_name, formula
from polyscape.report.figure_style import form_style
from polyscape.report.figures import figures
from polyscape.report.model import ReportData
from polyscape.report.packing import packing_drawing

_HERE = Path(__file__).parent


def page_html(data: ReportData) -> str:
    """The whole page as text, the same for the same data."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": words.number,
        "duration": words.duration,
        "probability": words.probability,
        "zprime": words.z_prime,
    }
    own = {name: (_HERE / name).read_text(encoding="utf-8") for name in ("theme.js", "page.js")}
    scripts = {"plotly": get_plotlyjs(), **{name.removesuffix(".js"): text for name, text in own.items()}}
    return environment.get_template("page.html").render(
        data=data,
        words=words,
        summary=words.summary(data),
        drawings=[(component, Markup(molecule_svg(component.smiles))) for component in data.components],
        formula=words.chemical_formula(formula(data.structures[0].atoms, data.structures[0].formula_units)),
        form_marks={form.name: _mark(data, form.name) for form in data.known_forms},
        cif={
            structure.structure_id: f"cif/{file_name(structure.structure_id)}" for structure in data.exported
        },
        figures=list(figures(data)),
        settings=_flat_settings(data.settings),
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        scripts={name: Markup(text) for name, text in scripts.items()},
        script_hashes=" ".join(f"'{_hash(text)}'" for text in scripts.values()),
        embedded=Markup(_embedded(data)),
    )


def _embedded(data: ReportData) -> str:
    """Figures and packings as JSON that can stand inside a script element."""
    content = {
        "figures": figures(data),
        "packings": {s.structure_id: packing_drawing(s.atoms) for s in data.exported},
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    """Source expression of an inline script for a content security policy (W3C CSP Level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")


def _mark(data: ReportData, name: str) -> tuple[str, str]:
    """A known form's mark in texts: a character like its symbol in the figures, and its colour."""
    symbol, colour = form_style(data, name)
    characters = {
        "star": "★",
        "diamond": "◆",
        "square": "■",
        "triangle-up": "▲",
        "pentagon": "⬟",
        "hexagram": "✶",
    }
    return characters[symbol], colour


def _flat_settings(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Dotted keys and values of the settings."""
    rows: list[tuple[str, str]] = []

    def walk(key: str, value: Any) -> None:
        if hasattr(value, "model_dump"):
            value = value.model_dump(mode="json")
        if isinstance(value, dict) and value:
            for name, item in value.items():
                walk(f"{key}.{name}", item)
        elif isinstance(value, list) and any(
            isinstance(item, dict) or hasattr(item, "model_dump") for item in value
        ):
            for index, item in enumerate(value):
                walk(f"{key}[{index}]", item)
        else:
            rows.append((key, json.dumps(value, ensure_ascii=False)))

    for key, value in settings.items():
        walk(key, value)
    return rows
