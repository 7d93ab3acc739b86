"""The grammars of the evidence: the reference of what can be read, each with its samples beside it."""
