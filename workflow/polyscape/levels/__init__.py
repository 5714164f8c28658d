"""Levels of theory: back ends, dispersion, cost, the store of results."""
