"""``kb decide``: advice from a team's policy, for one decision input or a list of them."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from kb_app.cli.context import Context
from kb_app.decision import policy_file
from kb_app.decision.codec import decide_text
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.entries.model import Finding
from kb_app.errors import EnvironmentFault, ExitCode, UsageError
from kb_app.workspace.deciding import policy_of


def register(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    verb = add("decide", decide, "Mitigate or fix forward? Advice from the policy, as JSON.")
    verb.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help="JSON, one input or a list (default: -)"
    )
    verb.add_argument(
        "--policy", type=Path, metavar="FILE", help=f"default: {policy_file.FILE_NAME} of the knowledge base"
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
    if context.options.policy is not None:
        return _told(
            context, context.options.policy, *policy_file.read_policy(_read_bytes(context.options.policy))
        )
    for base in context.workspace().bases:
        policy, findings = policy_of(base.root)
        if policy.revision != DEFAULT_POLICY.revision:
            return _told(context, base.root / policy_file.FILE_NAME, policy, findings)
    return DEFAULT_POLICY


def _told(context: Context, file: Path, policy: Policy, findings: Sequence[Finding]) -> Policy:
    for finding in findings:
        context.warn(f"{file}:{finding.line}: {finding.message} {finding.fix}".rstrip())
    return policy


def _read(file: Path) -> str:
    try:
        return _read_bytes(file).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise EnvironmentFault(f"The file {file} cannot be read: {error}") from error


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(
            f"The file {file} is not there", "Give a JSON file, or - for standard input"
        ) from error
    except OSError as error:
        raise EnvironmentFault(f"The file {file} cannot be read: {error}") from error
