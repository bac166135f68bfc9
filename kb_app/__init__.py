"""kb_app: find the entry at once, mitigate, fix forward, and prove what was done.

The map. Arrows point down only; siblings never import each other; only ``ui`` knows Qt (``pyproject.toml``,
``[tool.importlinter]``, checks all of it):

======================  ==============================================================================
``__main__``            no arguments: the window; ``--worker NAME``: a worker process; else the command line
``ui``, ``cli``         two faces of the same use cases
``workspace``           the use cases: open knowledge bases, find, read, respond, report
``decision``            a team's policy, and mitigate-or-fix-forward advice from it (pure)
``search``              text analysis, safe storage, incremental index, scoring, query language, its worker
``rendering``           Markdown to safe HTML for the reader, page outline, line anchors
``gitstore``            clone, fast-forward, proposals, history, conflicts by section
``incidents``           append-only hash-chained events, runs, derived timeline, conformance, exports
``entries``             what an entry is: front matter, sections, paths, steps, inference, lint, response plan
``settings``            the user's choices, a typed and versioned table
``resources``           where the bundled content, fonts and icons lie (source tree, wheel, frozen build)
``paths``               the user's folders, ``KB_APP_HOME``, and joining paths without leaving a root
``logs``                one rotating log file; secrets are removed on the way in
``durable``             writing files so that a crash leaves the old text or the new one
``programs``            other programs: where they lie, and the environment they get
``plain``               frozen dataclasses to JSON-ready values and back
``errors``              the one error root: a sentence and a next step
======================  ==============================================================================

Processes: the window never imports Whoosh and never waits; a search worker, an indexer and a reader worker
answer it in JSON lines (``python -m kb_app --worker search|index|reader``).
"""

__version__ = "0.1.0"
