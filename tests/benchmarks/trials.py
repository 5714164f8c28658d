"""Trial crystals of a benchmark molecule, drawn as a campaign draws them."""

from polyscape.crystal.groups import COMMON10, SpaceGroup
from polyscape.search.overlap import relieve
from polyscape.search.sampling import draw_packing, make_recipe, sobol_points
from polyscape.settings.search import Sampling
from polyscape.status import Status

SEED = 1


def trials(conformers, count):
    """`count` trials without overlap, in equal numbers over the ten common space groups (the first ones more by one).

    Trials whose molecules cannot be separated are replaced by the next points of the group's sequence.
    """
    return [
        packing
        for index, number in enumerate(COMMON10)
        for packing in group_trials(conformers, number, (count + len(COMMON10) - 1 - index) // len(COMMON10))
    ]


def group_trials(conformers, number, wanted, z_prime=1):
    """Trials without overlap in one space group, with `z_prime` formula units in the asymmetric unit."""
    sampling = Sampling()
    recipe = make_recipe(conformers, sampling, z_prime)
    group = SpaceGroup.find(number)
    found = []
    start = 0
    while len(found) < wanted:
        for point in sobol_points(SEED, number, recipe.dimensions, start, wanted):
            trial = relieve(
                draw_packing(point, group, recipe),
                conformers,
                sampling.contact_factor,
                sampling.max_expansion,
            )
            if trial.status == Status.OK:
                found.append(trial.packing)
        start += wanted
    return found[:wanted]
