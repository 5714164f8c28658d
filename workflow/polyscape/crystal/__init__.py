"""Crystals of rigid molecules: cells, space groups, symmetry, poses."""
