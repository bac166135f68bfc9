"""Settings and the shortcuts page."""
