"""The judgement: verdicts, grades, what would mend an account, what a human decided."""
