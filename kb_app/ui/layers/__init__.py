"""The user's own copies: where they come from, and what to do when that changed."""
