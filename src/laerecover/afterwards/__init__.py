"""What is done once servers are recovered, or half made."""
