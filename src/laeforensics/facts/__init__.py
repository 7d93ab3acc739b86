"""What every room speaks in: the field table, facts with their places, channels, findings."""
