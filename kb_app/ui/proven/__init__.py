"""How far the open entry is confirmed, and what is said to be wrong with it."""
