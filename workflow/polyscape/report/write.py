"""The report's files, each written under a temporary name first; CIFs of an earlier run that are no longer due go."""

from pathlib import Path

from polyscape.files import write_atomically, write_text
from polyscape.report.export import cif_text, extended_xyz, file_name, ranking_csv
from polyscape.report.model import ReportData
from polyscape.report.page import page_html
from polyscape.report.picture import landscape_png


def write_report(data: ReportData, folder: Path) -> list[Path]:
    """Write index.html, landscape.png, ranking.csv, lowest.extxyz and cif/<structure>.cif; return their paths.

    The page comes last: when it is there, what it links to is there.
    """
    (folder / "cif").mkdir(parents=True, exist_ok=True)
    cifs = {folder / "cif" / file_name(structure.structure_id): structure for structure in data.exported}
    for path, structure in cifs.items():
        write_text(path, cif_text(structure, data.campaign))
    for path in sorted(set((folder / "cif").glob("*.cif")) - set(cifs)):
        path.unlink()
    texts = {"lowest.extxyz": extended_xyz(data.exported), "ranking.csv": ranking_csv(data)}
    for name, text in texts.items():
        write_text(folder / name, text)
    with write_atomically(folder / "landscape.png") as temporary:
        temporary.write_bytes(landscape_png(data))
    write_text(folder / "index.html", page_html(data))
    return [folder / "index.html", folder / "landscape.png", *(folder / name for name in texts)]
