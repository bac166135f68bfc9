"""Drills: a condition without its ways out, "mitigate or fix forward?", then the rule, reasons and times.

A drill writes no record. What was answered stays in a log in the user's own data folder, for the user;
nothing reads it but the drill itself.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from kb_app.decision.codec import Case, read_case
from kb_app.decision.durations import format_minutes
from kb_app.decision.model import Advice, Incident
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.values import DataRisk, Impact, Recommendation, Scope, Trend
from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import Entry, EntryCard, Kind, Role
from kb_app.entries.reading import read_entry
from kb_app.entries.response import resolve_plan
from kb_app.errors import KbError
from kb_app.paths import AppFolders, private_folder
from kb_app.resources import resource
from kb_app.search.catalogue_file import load_cards
from kb_app.workspace.bases import OpenBase
from kb_app.workspace.deciding import advise, ground_of, inputs_of

LOG = "drills.jsonl"
_LIST = re.compile(r"[-*+] |\d+[.)] |#|\|")
MAX_CONDITION = 420
_BOTH = ("mitigation", "fix")


class Choice(StrEnum):
    """What one may answer."""

    MITIGATE = "mitigate"
    FIX = "fix-forward"
    BOTH = "both"
    NEITHER = "neither"


MATCHING: Mapping[Recommendation, Choice] = {
    Recommendation.MITIGATE_THEN_FIX: Choice.MITIGATE,
    Recommendation.CONTAIN: Choice.MITIGATE,
    Recommendation.FIX_FORWARD: Choice.FIX,
    Recommendation.PARALLEL: Choice.BOTH,
    Recommendation.ESCALATE: Choice.NEITHER,
    Recommendation.NORMAL_CHANGE: Choice.NEITHER,
}
"""Which answer a recommendation makes right; containing damage to data is a mitigation."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One question.

    Attributes:
        id: names it in the log: ``knowledge base:path`` or ``case:4``.
        title: of the entry or of the case; a case's may name its paths, so it is shown with the answer.
        condition: what is seen, without any way out.
        incident: what is known about the incident.
        advice: what the policy says.
        knowledge_base, path: of the entry; empty for a worked case.
    """

    id: str
    title: str
    condition: str
    incident: Incident
    advice: Advice
    knowledge_base: str = ""
    path: str = ""

    @property
    def right(self) -> Choice:
        """Return the answer that the policy gives."""
        return MATCHING[self.advice.recommend]

    @property
    def state(self) -> tuple[tuple[str, str], ...]:
        """Return what is known about the incident: label and word."""
        known = self.incident
        return (
            ("impact", known.impact or "unknown"),
            ("data at risk", known.data_risk or "unknown"),
            ("trend", known.trend or "unknown"),
            ("scope", known.scope or "unknown"),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """How a session went: how many were asked, how many answered as the policy does."""

    asked: int = 0
    right: int = 0

    def after(self, *, is_right: bool) -> Score:
        """Return the score with one more answer."""
        return replace(self, asked=self.asked + 1, right=self.right + is_right)


def reasons_of(advice: Advice) -> tuple[str, ...]:
    """Return the reasons beyond the times, which stand apart."""
    return tuple(reason for reason in advice.reasons if " counts " not in reason)


def times_text(advice: Advice) -> str:
    """Return both times in one line."""
    parts = []
    for name, path, minutes in (
        ("Mitigation", advice.mitigation, advice.mitigation_minutes),
        ("Fix", advice.fix, advice.fix_minutes),
    ):
        shown = format_minutes(minutes) if minutes is not None else "none"
        parts.append(f"{name} {shown}" + (f" (“{path.name}”)" if path is not None and path.name else ""))
    return ", ".join(parts)


def drillable(bases: Sequence[OpenBase]) -> tuple[tuple[OpenBase, EntryCard], ...]:
    """Return the entries that hold both ways out, from the catalogues that indexing wrote."""
    return tuple(
        (base, card)
        for base in bases
        for card in load_cards(base.index_folder)
        if card.kind in (Kind.RUNBOOK, Kind.KNOWN_FIX)
        and not card.is_stub
        and all(way in card.has for way in _BOTH)
    )


def drill_on(base: OpenBase, path: str, chance: random.Random, today: dt.date) -> Drill:
    """Return a question about one entry, in an incident that ``chance`` makes up.

    Raises:
        KbError: when the entry cannot be read.
    """
    cards = load_cards(base.index_folder)
    catalogue = Catalogue(cards) if cards else None
    entry = read_entry(base.root, path, base.config)
    plan = resolve_plan(entry, catalogue, partial(read_entry, base.root, config=base.config))
    ground = ground_of(base.root, entry, base.config, catalogue)
    inputs = inputs_of(plan, entry, ground.defaults)
    incident = replace(
        inputs.incident,
        impact=chance.choice((Impact.DEGRADED, Impact.DEGRADED, Impact.DOWN, Impact.DOWN, Impact.MINOR)),
        data_risk=chance.choice((DataRisk.NONE, DataRisk.NONE, DataRisk.NONE, DataRisk.POSSIBLE)),
        trend=chance.choice(tuple(Trend)),
        scope=chance.choice((Scope.INSTANCE, Scope.CELL, Scope.CELL, Scope.REGION)),
    )
    case = Case(
        incident,
        tuple(prefilled.input for prefilled in inputs.mitigations),
        tuple(prefilled.input for prefilled in inputs.fixes),
    )
    advice = advise(case, ground.policy, today)
    return Drill(f"{base.name}:{path}", entry.title, condition_of(entry), incident, advice, base.name, path)


def condition_of(entry: Entry) -> str:
    """Return what an entry says one sees: its symptoms, else its summary; never a way out."""
    lines = entry.text.split("\n")
    for section in entry.sections:
        if section.role is Role.SYMPTOMS:
            text = "\n".join(lines[section.span.first_line : section.own_last_line]).strip()
            return _clipped(_plain(text)) or entry.summary
    return entry.summary


def _plain(text: str) -> str:
    """Return Markdown as a few lines of plain text: fences left out, soft line breaks of prose as spaces."""
    lines: list[str] = []
    is_code, joins = False, False
    for line in text.split("\n"):
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            is_code, joins = not is_code, False
            continue
        if bare.startswith("<!--"):
            continue
        if joins and bare and not is_code and not _LIST.match(bare):
            lines[-1] += f" {bare.replace('`', '')}"
            continue
        lines.append(line.rstrip() if is_code else bare.replace("`", ""))
        joins = bool(bare) and not is_code
    return "\n".join(lines).strip()


def _clipped(text: str) -> str:
    if len(text) <= MAX_CONDITION:
        return text
    return text[:MAX_CONDITION].rsplit(" ", 1)[0] + " …"


def worked_cases(today: dt.date, policy: Policy = DEFAULT_POLICY) -> tuple[Drill, ...]:
    """Return the cases that come with the program, judged by ``policy``."""
    return tuple(_worked_cases(today, policy))


def _worked_cases(today: dt.date, policy: Policy) -> Iterator[Drill]:
    for plain in json.loads(resource("drill/cases.json").read_bytes()):
        case = read_case({key: plain.get(key) for key in ("incident", "mitigation", "fix")})
        advice = advise(case, policy, case.today or today)
        yield Drill(f"case:{plain['id']}", plain["title"], plain["situation"], case.incident, advice)


def log_answer(folders: AppFolders, drill: Drill, choice: Choice, now: dt.datetime) -> None:
    """Add an answer to the log of drills.

    Raises:
        EnvironmentFault: when the folder cannot be used.
        OSError: when the line cannot be written.
    """
    line = {
        "at": now.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "drill": drill.id,
        "choice": choice.value,
        "advice": drill.advice.recommend.value,
        "rule": drill.advice.rule.value,
        "right": choice is drill.right,
    }
    with (private_folder(folders.data) / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_log(folders: AppFolders) -> tuple[Mapping[str, object], ...]:
    """Return the answers of earlier drills, the oldest first; lines that cannot be read are left out."""
    try:
        lines = (folders.data / LOG).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return tuple(found)


class DrillDeck:
    """Questions in an order of chance: entries that were answered otherwise than advised come first.

    Args:
        bases: the open knowledge bases.
        folders: the user's folders, for the log.
        seed: of the order and of the incidents.
        only_cases: ask the worked cases alone.
    """

    def __init__(
        self, bases: Sequence[OpenBase], folders: AppFolders, *, seed: int, only_cases: bool = False
    ) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - an order of questions, protects nothing
        self._entries = [] if only_cases else list(drillable(bases))
        self._today = dt.datetime.now(dt.UTC).date()
        self._cases = list(worked_cases(self._today)) if not self._entries else []
        missed = {str(row["drill"]) for row in read_log(folders) if row.get("right") is False}
        missed -= {str(row["drill"]) for row in read_log(folders) if row.get("right") is True}
        self._chance.shuffle(self._entries)
        self._chance.shuffle(self._cases)
        self._entries.sort(key=lambda pair: f"{pair[0].name}:{pair[1].path}" not in missed)
        self._cases.sort(key=lambda drill: drill.id not in missed)
        self._next = 0

    @property
    def are_cases(self) -> bool:
        """Tell whether worked cases are asked instead of entries."""
        return not self._entries

    def __len__(self) -> int:
        """Return how many different questions there are."""
        return len(self._entries) or len(self._cases)

    def draw(self) -> Drill | None:
        """Return the next question, from the beginning again after the last; None when there is none."""
        for _ in range(len(self)):
            place, self._next = self._next % len(self), self._next + 1
            if not self._entries:
                return self._cases[place]
            base, card = self._entries[place]
            try:
                return drill_on(base, card.path, self._chance, self._today)
            except KbError:
                continue  # gone since it was indexed
        return None
