"""The same place changed by two people: both texts, one key each, nothing written before Enter."""
