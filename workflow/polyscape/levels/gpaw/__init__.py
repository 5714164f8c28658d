"""Plane-wave DFT with GPAW: the only folder that imports it.

References
----------
GPAW: J. J. Mortensen et al., J. Chem. Phys. 160, 092503 (2024), https://doi.org/10.1063/5.0182685
"""
