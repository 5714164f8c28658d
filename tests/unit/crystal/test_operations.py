"""Space groups from lists of operations, in tabulated settings and in any other."""

import gemmi
import numpy as np
import pytest

from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.operations import closed_group, group_from_operations, operation_key, parse_operation


def keys(operations):
    return {operation_key(*operation) for operation in operations}


def test_identity_and_products_may_be_missing():
    group = group_from_operations([parse_operation("-x,1/2+y,1/2-z"), parse_operation("-x,-y,-z")])
    assert (group.number, group.hall_symbol) == (14, "-P 2ybc")
    assert np.allclose(group.operations[0][0], np.eye(3))


def test_centring_follows_from_glides():
    triplets = ("1/4-x,1/4+y,1/4+z", "x+1/2,y+1/2,z", "-x,-y,z", "x,y+1/2,z+1/2")
    group = group_from_operations([parse_operation(triplet) for triplet in triplets])
    assert (group.symbol, len(group.operations)) == ("Fdd2", 16)


@pytest.mark.parametrize("number", [*range(1, 231, 7), 48, 146, 148, 155, 161, 167, 227, 228])
@pytest.mark.parametrize("shift", ["x+1/24,y-1/8,z+5/12", "y,z+1/4,x", "x+z,y,z"])
def test_any_setting_of_any_group(number, shift):
    """Operations in a shifted, permuted or sheared basis give the same group, and the symbol gives them back."""
    standard = gemmi.find_spacegroup_by_number(number).hall
    operations = SpaceGroup.from_hall(f"{standard} ({shift})").operations
    group = group_from_operations(operations)
    assert group.number == number
    assert keys(SpaceGroup.from_hall(group.hall_symbol).operations) == keys(operations)
    assert group.crystal_system == SpaceGroup.from_hall(standard).crystal_system


@pytest.mark.parametrize("change", ["x+y,x-y,-z", "1/2*x,y,z"])
def test_primitive_cell_and_supercell(change):
    operations = SpaceGroup.from_hall(f"-C 2yc ({change})").operations
    group = group_from_operations(operations)
    assert (group.number, len(group.operations)) == (15, 4 if "-" in change else 16)
    assert keys(group.operations) == keys(operations)


@pytest.mark.parametrize("text", ["x,y", "x,y,q", "2x,y,z", "hello"])
def test_no_operation(text):
    with pytest.raises(ValueError, match="is no symmetry operation"):
        parse_operation(text)


def test_operations_without_end_are_refused():
    """Rotations about axes that no lattice has in common."""
    strange = np.array([[0.0, -1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    shear = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(ValueError, match="no finite space group"):
        closed_group([(strange, np.zeros(3)), (shear, np.zeros(3))])
