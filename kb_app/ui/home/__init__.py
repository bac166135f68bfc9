"""What shows before an entry is open: first run, tips, recent and starred entries."""
