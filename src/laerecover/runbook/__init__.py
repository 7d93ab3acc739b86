"""What happens to an account, durably."""
