"""What an entry is: reading Markdown files into `Entry` values, lint, and the response plan.

``model`` holds the values; nothing here knows Qt, Git or Whoosh, and nothing here writes to a knowledge base.
"""
