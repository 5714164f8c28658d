"""polyscape: crystal structure prediction of organic molecules with multi-fidelity learning."""

__version__ = "0.1.0"
