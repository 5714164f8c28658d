"""Write config/README.md and docs/tables.md from the types of the settings and the declarations of the tables."""

import argparse
import sys
from pathlib import Path

from polyscape.handbook.settings import keys_page
from polyscape.handbook.tables import tables_page

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "docs" / "templates" / "config.md"


def settings_page() -> str:
    """The hand-written introduction, with the tables of keys where its marker stands."""
    return TEMPLATE.read_text(encoding="utf-8").replace("<!-- keys -->\n", keys_page())


PAGES = {
    ROOT / "config" / "README.md": settings_page,
    ROOT / "docs" / "tables.md": tables_page,
}


def outdated() -> list[Path]:
    """The pages that differ from what the types say."""
    return [
        path
        for path, page in PAGES.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != page()
    ]


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(prog="python scripts/docs.py", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when a page is out of date"
    )
    options = parser.parse_args()
    for path in outdated():
        if options.check:
            sys.exit(f"{path.relative_to(ROOT)} is out of date: run `make docs`")
        path.write_text(PAGES[path](), encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
