"""Drill: mitigate or fix forward, without the paths in sight."""
