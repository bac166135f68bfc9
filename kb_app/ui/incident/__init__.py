"""The incident this window has in hand: the chip at the top, the sheets that open it and log to it."""
