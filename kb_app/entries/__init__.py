"""What an entry is: reading Markdown files into `Entry` values, lint, and the response plan.

``model`` holds the values; nothing here knows Qt, Git or Whoosh, and nothing here writes to a knowledge base.

The way of a file: ``source`` (bytes to text) > ``front_matter`` > ``outline`` (headings, fences, sections) >
``path_blocks`` > ``steps`` > ``commands``; ``inference``, ``signatures`` and ``links`` tell the rest;
``reading`` joins them. Around it: ``knowledge_base`` (``kb.yml``, the walk, owners), ``catalogue`` (names and
links), ``response`` (the plan), ``lint``, ``templates``. ``durations``, ``quoting``, ``destructive``,
``suspicious`` and ``secrets`` each know one grammar.
"""
