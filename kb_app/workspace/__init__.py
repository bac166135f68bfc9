"""The use cases: open knowledge bases as layers, find, read, respond, report.

What the window and the command line both do is here, once. Every mutation returns what it changed.
"""
