"""What came of it, and what is left to do."""
