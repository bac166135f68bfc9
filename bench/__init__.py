"""Benches: speed, memory and relevance beside the peers."""
