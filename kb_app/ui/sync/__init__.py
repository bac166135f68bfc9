"""Git in the window: adding a repository, the quiet sync, its choices, what changed in an entry."""
