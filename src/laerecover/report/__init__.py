"""What came of it; what is left to do."""
