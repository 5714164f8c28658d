import subprocess
import sys

from polyscape.handbook.settings import keys_page, leaves
from polyscape.handbook.tables import tables_page
from polyscape.schemas import ALL
from polyscape.settings import Settings


def test_generated_pages_are_up_to_date(root):
    done = subprocess.run(
        [sys.executable, root / "scripts" / "docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_key_stands_in_the_handbook_once():
    page = keys_page()
    keys = [leaf.key for leaf in leaves(Settings)]
    assert len(keys) > 40  # else the walk has lost its way
    assert [key for key in keys if page.count(f"| `{key}` |") != 1] == []


def test_the_unit_of_a_key_is_told():
    units = {leaf.key: leaf.unit for leaf in leaves(Settings)}
    assert units["landscape.window_kJ_per_mol"] == "kJ/mol"
    assert units["minimiser.gradient_tolerance_kJ_per_mol_A"] == "kJ/mol/Å"
    assert units["levels[].gpaw.k_spacing_per_A"] == "1/Å"
    assert units["energy.cutoff_A"] == "Å"
    assert units["seed"] == ""


def test_every_column_stands_in_the_tables_page():
    page = tables_page()
    for table in ALL:
        section = page.split(f"## {table.name}\n")[1].split("\n## ")[0]
        assert all(f"| `{column.name}` |" in section for column in table.columns)
