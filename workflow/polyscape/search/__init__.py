"""Trial crystals, duplicate removal, known forms."""
