"""Conformance: the report as a page, one change as a page, charts in the theme's colours."""
