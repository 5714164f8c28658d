"""The lattice energy and its minimiser, compiled with numba."""
