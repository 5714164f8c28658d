import pytest

from polyscape.crystal.groups import SpaceGroup


@pytest.mark.parametrize(
    ("name", "number"),
    [
        (14, 14),
        ("14", 14),
        ("P21/c", 14),
        ("P 1 21/c 1", 14),
        ("P2(1)/c", 14),
        ("P2_1/c", 14),
        ("P 21/n", 14),
        ("-P 2ybc", 14),
        ("P2_12_12_1", 19),
        ("P2(1)2(1)2(1)", 19),
        ("P6(5)", 170),
        ("I4_1/a", 88),
        ("R-3:R", 148),
    ],
)
def test_a_group_is_found_by_all_its_usual_names(name, number):
    assert SpaceGroup.find(name).number == number


@pytest.mark.parametrize("name", [0, 231, -14, "P21/q", "", "P(1)"])
def test_what_names_no_group_is_refused(name):
    with pytest.raises(ValueError, match="is no space group"):
        SpaceGroup.find(name)
