"""The list of entries found."""
