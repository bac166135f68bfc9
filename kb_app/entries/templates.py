"""The text a new entry starts from: nothing in it is required, every prompt is a comment nobody else sees.

Decision: prompts are HTML comments, so an entry that is saved half-filled shows no boilerplate, and an
attribute that is not known stays empty rather than a guess ("not stated" beats invented).
"""

from __future__ import annotations

import re

from kb_app.entries.model import Kind

_FRONT = {
    Kind.KNOWN_FIX: ("signatures: []", 'affected: ""', "fix_status: open"),
    Kind.RUNBOOK: ("alerts: []", "severity: sev3"),
    Kind.INTERNALS: ("type: service", "depends_on: []", "levers: []", 'deploy_time: ""', "rollback: yes"),
    Kind.NOTE: (),
}
_PATHS = """
## Mitigation
<!-- Stops the bleeding. Write "None known." if there is no such way. -->
- Time:
- Risk:
- Reversible:
- Blast:

1. <!-- What to do, with the command in a code block. -->
   - Verify: <!-- How one sees that it worked. -->
   - Undo: <!-- How to take it back. -->

## Fix forward
<!-- Removes the cause. Write "None known." if there is no such way. -->
- Time:
- Risk:
- Reversible:
- Blast:

1. <!-- What to do. -->
   - Verify: <!-- How one sees that it worked. -->
"""
_BODIES = {
    Kind.KNOWN_FIX: """
## Symptoms
<!-- What people see, in their words; the exact message in a code block. -->

## Cause
<!-- Why it happens; one cause for each entry. -->
"""
    + _PATHS,
    Kind.RUNBOOK: """
## Meaning
<!-- What the alert says, in one or two sentences. -->

## Impact
<!-- Who notices, and how badly. -->

## Diagnosis
<!-- What to look at first, with commands. -->
"""
    + _PATHS
    + """
## Escalation
<!-- Whom to call, and when. -->
""",
    Kind.INTERNALS: """
<!-- What it is and what it is for, in two sentences. -->

## Failure modes
<!-- What breaks, with links to the entries about it. -->

## Lever
<!-- A way to relieve this component that works without knowing the cause: rollback, drain, degrade, ... -->
- Time:
- Risk:
- Reversible:

1. <!-- What to do. -->
   - Verify: <!-- How one sees that it worked. -->
   - Undo: <!-- How to take it back. -->

## Escalation
<!-- Whom to call, and when. -->
""",
    Kind.NOTE: "\n<!-- Anything worth finding again. -->\n",
}


def new_entry_text(kind: Kind | str, title: str) -> str:
    """Return the Markdown of a new entry of ``kind`` called ``title``.

    Raises:
        ValueError: when ``kind`` is none of `Kind`.
    """
    chosen = Kind(kind)
    name = " ".join(title.split()) or "Untitled"
    lines = ["---", f"kind: {chosen.value}", "state: draft", 'owner: ""', *_FRONT[chosen], "---", f"# {name}"]
    return "\n".join(lines) + "\n" + _BODIES[chosen]


def file_name_for(title: str) -> str:
    """Return a portable file name for an entry called ``title``; alert names stay as they are."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,80}", title):
        return f"{title}.md"
    slug = re.sub(r"[^\w]+|_", "-", title.lower()).strip("-")[:80].rstrip("-")
    return f"{slug or 'entry'}.md"
