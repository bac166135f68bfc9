"""Finding entries: analysis, safe storage, incremental index, scoring, query language, worker process."""
