"""Markdown to safe HTML for the reader, with outline, code blocks and line anchors."""
