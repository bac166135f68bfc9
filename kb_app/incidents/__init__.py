"""Records of incidents: what happened, who did it, what is still owed, and whether the record was touched.

A record is a folder, ``incidents/2025/2025-06-01-checkout-down-7f3a/``: one append-only file of hash-chained
events per device below ``events/``, and ``incident.md``, which is derived from them. The chain makes a record
tamper-evident: edits, removals and reordering are found; a file rewritten as a whole is not, unless a seal on
another device, or Git history elsewhere, still knows better.

``canonical``    RFC 8785: one spelling for one value, so that a hash means something
``events``       the types of events, their data, and checking it
``journal``      appending durably; torn tails set aside
``timeline``     events of all devices in one order, corrections applied, what they add up to
``folders``      creating, finding and closing records; the derived ``incident.md``
``verify``       edits, removals, reordering, cut tails, by file, line and byte
``runs``         steps ticked, skipped, failed, waiting: rebuilt from events after any crash
``duties``       what is owed: reviews, follow-ups, mitigations still in place, knowledge
``deploy_list``  everything that was deployed, from outside, as CSV
``conformance``  one row per emergency change with its verdict; reconciling with that list
``report``       that report as CSV, Markdown, HTML and JSON
``export``       a timeline or a run for a ticket; handover; post-incident draft; customer-safe text
``markup``       writing Markdown, Jira and Confluence markup, HTML and plain text
``book``         the records of one root behind one door: what the window and the command line call
``sample_year``  a made-up year of 40 incidents for demonstration and tests
``sample_incident``  one made-up incident with everything in it
"""
