"""What the steps need of the world, as protocols; what it may answer."""
