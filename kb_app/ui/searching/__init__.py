"""What grows around the search: the query in words, saved searches, the paste, what is related."""
