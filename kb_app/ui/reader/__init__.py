"""The reader: a page as it is painted, searched, zoomed and followed; see `panel.ReaderPanel`."""
