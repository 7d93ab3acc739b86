"""The worlds of drills: nothing is anybody's there."""
