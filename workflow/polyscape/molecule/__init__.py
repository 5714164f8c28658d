"""The isolated molecule: geometry, conformers, wave function, charges and multipoles, atom types."""
