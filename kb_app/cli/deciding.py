"""``kb decide``: advice from a team's policy, for one decision input or a list of them."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.decision.codec import decide_text
from kb_app.decision.policy import Policy
from kb_app.decision.policy_file import load_policy
from kb_app.errors import EnvironmentFault, ExitCode, UsageError

POLICY_FILE = "policy.yml"


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    verb = add("decide", decide, "Mitigate or fix forward? Advice from the policy, as JSON.")
    verb.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="JSON, one input or a list (default: -)"
    )
    verb.add_argument(
        "--policy", type=Path, metavar="FILE", help=f"default: {POLICY_FILE} of the knowledge base"
    )


def decide(context: Context) -> int:
    """Print the advice for every decision input."""
    name = context.options.file
    text = context.source.read() if name == "-" else _read(Path(name))
    policy = read_policy(context)
    context.say(decide_text(text, policy, dt.datetime.now(dt.UTC).date()))
    return ExitCode.DONE


def read_policy(context: Context) -> Policy:
    """Return the policy that ``--policy`` or the first knowledge base gives, else the default one.

    Findings about the file go to standard error; what is right in it applies.

    Raises:
        UsageError: when the file that ``--policy`` names cannot be read.
    """
    file = context.options.policy
    if file is None:
        bases = context.workspace().bases
        candidates = [base.root / POLICY_FILE for base in bases if (base.root / POLICY_FILE).is_file()]
        if not candidates:
            return Policy()
        file = candidates[0]
    policy, findings = load_policy(_read(file))
    for finding in findings:
        context.warn(f"{file}:{finding.line}: {finding.message} {finding.fix}".rstrip())
    return policy


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(
            f"The file {file} is not there", "Give a JSON file, or - for standard input"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"The file {file} cannot be read: {error}") from error
