"""Each file of the evidence is read once."""
