import pytest

from polyscape.errors import InputError


def test_the_line_names_file_key_value_problem_and_remedy():
    error = InputError(
        "c.yaml", "search.space_groups[0]", "P21/z", "unknown space group", "did you mean 'P21/c'?"
    )
    assert (
        error.line() == "c.yaml: search.space_groups[0] = 'P21/z': unknown space group; did you mean 'P21/c'?"
    )
    assert str(error) == error.line()
    assert error.exit_code == 2


@pytest.mark.parametrize("value", ["a\nb", ["x"] * 200, "y" * 5000])
def test_it_is_one_line_of_bearable_length(value):
    line = InputError("c.yaml", "key", value, "many\n   lines", "mend\nit").line()
    assert "\n" not in line
    assert len(line) < 200


def test_nothing_found_is_not_shown():
    assert (
        InputError("c.yaml", "molecule", None, "missing", "add it").line()
        == "c.yaml: molecule: missing; add it"
    )
    assert InputError("c.yaml", "", "", "absent", "name one").line() == "c.yaml: absent; name one"
    assert (
        InputError("c.yaml", "smiles", "", "empty", "write one").line()
        == "c.yaml: smiles = '': empty; write one"
    )
