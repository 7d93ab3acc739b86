"""laerecover: carries out the recovery that a manifest describes, durably."""
