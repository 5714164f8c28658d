"""Crystals written as JSON for a comparison with DMACRYS: multipoles, pair potentials and settings in one file."""
