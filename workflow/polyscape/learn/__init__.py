"""Descriptors, the multi-fidelity Gaussian process, selection and ranking."""
