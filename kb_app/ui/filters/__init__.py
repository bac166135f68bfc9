"""The filter column: views and facets with counts."""
