"""What people look at: cards, explanations, the audit page."""
