"""The hands of molecules in a search for crystals of one enantiomer.

Only what is chiral by configuration comes as one enantiomer.  A partner without stereocentres (urea, H2O2, a solvent) may
have a chiral shape all the same, and turns into the mirror image as easily as it dissolves: a crystal may hold either.
Where no component is known to be chiral, the user knows a chiral axis or helix that a SMILES does not show: then each is
of the hand given.
"""

import numpy as np

from polyscape.crystal.asymmetric import in_standard_setting, inverted
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Conformers, Packing
from polyscape.molecule.model import Conformer
from polyscape.search.orientation import is_atom, molecular_operations
from polyscape.search.plan import is_sohncke

Keys = frozenset[tuple[int, str]]
"""Rigid molecules, by component and conformer."""


def is_own_mirror_image(conformer: Conformer) -> bool:
    """Whether a rotation turns a conformer into its mirror image, so that it has no hand."""
    return is_atom(conformer) or bool(np.any(np.linalg.det(molecular_operations(conformer)) < 0))


def held_hands(rigid: Conformers) -> Keys:
    """The rigid molecules that an enantiopure search draws in the hand given, not as their mirror images."""
    if not any(molecule.chiral for molecule in rigid.values()):
        return frozenset(rigid)
    return frozenset(key for key, one in rigid.items() if one.chiral or is_own_mirror_image(one))


def telling_hands(rigid: Conformers) -> Keys:
    """The rigid molecules that tell the hand of an enantiopure crystal; none where all are their own mirror images."""
    chiral = frozenset(key for key, molecule in rigid.items() if molecule.chiral)
    return chiral or frozenset(key for key, molecule in rigid.items() if not is_own_mirror_image(molecule))


def is_of_one_hand(packing: Packing, telling: Keys) -> bool:
    """Whether all molecules that tell are conformers as they stand in the table, or all their mirror images."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    return is_sohncke(group) and len(_hands(packing, telling)) == 1


def of_the_searched_hand(packing: Packing, telling: Keys) -> Packing:
    """A crystal of mirror images turned into its own, of the same energy; others as they are.

    Which enantiomer a published crystal holds is a matter of what was in the bottle.  An enantiopure search holds that of the
    SMILES, and tells a crystal from its mirror image.
    """
    if not is_of_one_hand(packing, telling) or _hands(packing, telling) == {1}:
        return packing
    return in_standard_setting(inverted(packing))


def _hands(packing: Packing, telling: Keys) -> set[int]:
    """The hands of the molecules that tell; without any, that of the first: it may be either."""
    told = {pose.parity for pose in packing.poses if (pose.component, pose.conformer) in telling}
    return told or {packing.poses[0].parity}
