"""Pictures of every screen in both themes and two sizes: ``python3 dev.py shots [FOLDER [KB…]]``.

``--only NAME`` (repeatable) takes one scene. The window is the real one with its real workers in a home of
its own; only what depends on chance is set by hand.
"""
