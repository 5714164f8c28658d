"""The hand of crystals that are given, in a search for crystals of one hand of a molecule."""

from polyscape.crystal.asymmetric import in_standard_setting, inverted
from polyscape.crystal.groups import SpaceGroup
from polyscape.crystal.packing import Packing
from polyscape.search.plan import is_sohncke


def is_of_one_hand(packing: Packing) -> bool:
    """Whether all molecules of a crystal are conformers as they stand in the table, or all their mirror images."""
    group = SpaceGroup.from_hall(packing.hall_symbol)
    return is_sohncke(group) and len({pose.parity for pose in packing.poses}) == 1


def of_the_searched_hand(packing: Packing) -> Packing:
    """A crystal of mirror images turned into its own, of the same energy; others as they are.

    Which enantiomer a published crystal holds is a matter of what was in the bottle.  An enantiopure search holds that of the
    SMILES, and tells a crystal from its mirror image.
    """
    if not is_of_one_hand(packing) or packing.poses[0].parity == 1:
        return packing
    return in_standard_setting(inverted(packing))
