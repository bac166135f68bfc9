"""A team's policy, and mitigate-or-fix-forward advice from it.

Everything here is pure: the same incident, paths, policy and day give the same advice, so that a record can
be checked years later against the rules then in force.

``values``       the closed sets of words, in order of severity
``model``        what goes in (`Incident`, `PathInput`) and what comes out (`Advice`)
``durations``    ``5-15m``, ``build 10m + test 5m``: text to minutes
``policy``       `Policy`, the table of its keys, overrides
``policy_file``  ``policy.yml`` to `Policy` and findings, and back to a commented file
``advice``       `decide`: gates, review timing, rules
``duties``       what is owed after a choice, and when it is due
``from_entry``   paths of an entry as inputs; the free move test
``codec``        the JSON form that ``kb decide`` reads and prints
``wording``      advice in one sentence
``record``       a decision as a record keeps it, and deciding again from the record
"""
