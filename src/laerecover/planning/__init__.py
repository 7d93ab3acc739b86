"""What a run would do, what stands in its way, what a human decided."""
