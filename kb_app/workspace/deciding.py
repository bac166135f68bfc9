"""Deciding on an entry: the team's policy, the entry's paths as inputs, the advice, the decision taken.

Decision: reading a policy never raises for a knowledge base. A ``policy.yml`` that is there but cannot be
read may have asked for more care than the default, so every fix is then reviewed first until it is mended.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kb_app.decision.codec import Case, decide_case
from kb_app.decision.duties import duties_for
from kb_app.decision.from_entry import ComponentDefaults, component_defaults, free_move, path_input
from kb_app.decision.model import Advice, Duty, Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.policy_file import FILE_NAME, MAX_CHARACTERS, read_policy
from kb_app.decision.record import decision_data
from kb_app.decision.values import PushWhenDown, Recommendation, Review, Scope, Severity, Way
from kb_app.entries.catalogue import Catalogue
from kb_app.entries.model import Entry, Finding, Kind, KnowledgeBaseConfig, PlannedPath, ResponsePlan
from kb_app.entries.model import Severity as FindingSeverity
from kb_app.entries.reading import read_entry
from kb_app.errors import KbError, UsageError
from kb_app.paths import safe_join
from kb_app.search.catalogue_file import load_cards

MAX_POLICY_BYTES = 4 * MAX_CHARACTERS
"""A file above this holds more characters than a policy may have, whatever they are."""

UNREADABLE = "unreadable"
"""Revision of the policy that stands in for a file that is there and cannot be read."""


NO_INCIDENT = Incident()
NO_DEFAULTS = ComponentDefaults()


def policy_of(root: Path) -> tuple[Policy, tuple[Finding, ...]]:
    """Return the policy of the knowledge base at ``root`` and what is wrong with its ``policy.yml``.

    Never raises: without the file the default applies (revision ``default``); a file that cannot be read is
    a finding, and every fix is then reviewed before it goes out.
    """
    try:
        raw = _read_bounded(safe_join(root, FILE_NAME))
    except FileNotFoundError:
        return DEFAULT_POLICY, ()
    except UsageError:
        return _unreadable("leads out of the knowledge base")
    except OSError as error:
        return _unreadable(f"cannot be read: {error.strerror or error}")
    if raw is None:
        return _unreadable("is not an ordinary file")
    if len(raw) > MAX_POLICY_BYTES:
        return _unreadable(f"is above {MAX_POLICY_BYTES // 1024} KB")
    return read_policy(raw)


def _unreadable(why: str) -> tuple[Policy, tuple[Finding, ...]]:
    finding = Finding(
        "policy-unreadable",
        FindingSeverity.ERROR,
        FILE_NAME,
        1,
        f"The policy {why}",
        "Mend the file; until then every fix is reviewed before it goes out.",
    )
    return Policy(revision=UNREADABLE, push_when_down=PushWhenDown.REVIEW_FIRST), (finding,)


def _read_bounded(file: Path) -> bytes | None:
    """Return the file's bytes, at most one more than allowed; None when it is no ordinary file."""
    # O_NONBLOCK: a FIFO put in its place must not hang
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(file, flags), "rb") as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            return None
        return opened.read(MAX_POLICY_BYTES + 1)


@dataclass(frozen=True, slots=True)
class Prefilled:
    """A path as the entry gives it.

    Attributes:
        way: which way out it is.
        input: what is known about it; None in a field is assumed by the policy.
        planned: where it comes from; None where no entry holds it.
        from_component: attributes of ``input`` that its component states, not the path itself.
        is_added: somebody added it while deciding.
    """

    way: Way
    input: PathInput
    planned: PlannedPath | None = None
    from_component: frozenset[str] = frozenset()
    is_added: bool = False


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an entry gives to decide on.

    Attributes:
        incident: what the entry says about any incident it describes: components, tags, owner, severity.
        mitigations: best origin first, document order within.
        fixes: likewise.
    """

    incident: Incident = NO_INCIDENT
    mitigations: tuple[Prefilled, ...] = ()
    fixes: tuple[Prefilled, ...] = ()

    def of(self, way: Way) -> tuple[Prefilled, ...]:
        """Return the paths of one way."""
        return self.mitigations if way is Way.MITIGATION else self.fixes


def inputs_of(plan: ResponsePlan, entry: Entry, defaults: ComponentDefaults = NO_DEFAULTS) -> Inputs:
    """Return what ``entry`` and its plan give to decide on.

    Args:
        plan: the entry's two ways out.
        entry: the entry that is open.
        defaults: of the entry's component; they hold for its own paths and for its component's levers.
    """
    severity = entry.severity.strip().lower()
    return Inputs(
        incident=Incident(
            severity=Severity(severity) if severity in set(Severity) else None,
            tags=entry.tags,
            components=(entry.component,) if entry.component else (),
            product=entry.product,
            owner=entry.owner,
            may_push=defaults.may_push,
        ),
        mitigations=tuple(_prefilled(Way.MITIGATION, path, defaults) for path in plan.mitigations),
        fixes=tuple(_prefilled(Way.FIX, path, defaults) for path in plan.fixes),
    )


def free_move_of(inputs: Inputs, scope: Scope | None) -> tuple[PlannedPath, str] | None:
    """Return the first mitigation that may be done now, before any question, and under what condition.

    Args:
        inputs: of the entry.
        scope: what is broken; None while nobody has said so.

    Returns:
        The path and the condition, as in "if at least a cell is broken" (may be empty); None without one.
    """
    for prefilled in inputs.mitigations:
        if (planned := prefilled.planned) is not None:
            move = free_move(planned.path, planned.entry_state, scope)
            if move.is_free:
                return planned, move.only_if
    return None


def _prefilled(way: Way, planned: PlannedPath, defaults: ComponentDefaults) -> Prefilled:
    # a linked entry may belong to another component, whose deploy time is not this one's
    used = defaults if planned.origin in ("own", "component") else ComponentDefaults()
    alone = path_input(planned.path, planned.entry_state)
    filled = path_input(planned.path, planned.entry_state, used)
    from_component = frozenset(
        name
        for name in ("time_minutes", "reversible")
        if getattr(alone, name) is None and getattr(filled, name) is not None
    )
    return Prefilled(way, filled, planned, from_component)


def defaults_of(entry: Entry, catalogue: Catalogue | None, load: Callable[[str], Entry]) -> ComponentDefaults:
    """Return what the internals entry of ``entry``'s component says about its paths.

    Args:
        entry: the entry that is open; an internals entry speaks for itself.
        catalogue: where the internals entry is looked up; None while it is not there yet.
        load: reads the entry at a path of the knowledge base; one that raises `KbError` is passed over.
    """
    if entry.kind is Kind.INTERNALS:
        return component_defaults(entry)
    if catalogue is None or not entry.component:
        return ComponentDefaults()
    for card in catalogue.of_component(entry.product, entry.component):
        if card.kind is Kind.INTERNALS and card.path != entry.path:
            try:
                return component_defaults(load(card.path))
            except KbError:
                continue
    return ComponentDefaults()


@dataclass(frozen=True, slots=True)
class Ground:
    """What has to be read from disk before deciding.

    Attributes:
        policy: the knowledge base's.
        findings: what is wrong with its file.
        defaults: of the entry's component.
    """

    policy: Policy = DEFAULT_POLICY
    findings: tuple[Finding, ...] = ()
    defaults: ComponentDefaults = NO_DEFAULTS


def ground_of(root: Path, entry: Entry, config: KnowledgeBaseConfig, catalogue: Catalogue | None) -> Ground:
    """Read the policy and the component's defaults for deciding on ``entry``; not on the window's thread."""
    policy, findings = policy_of(root)
    return Ground(policy, findings, defaults_of(entry, catalogue, partial(read_entry, root, config=config)))


def read_ground(root: Path, entry: Entry, config: KnowledgeBaseConfig, index_folder: Path) -> Ground:
    """As `ground_of`, with the catalogue that indexing wrote; not read where nothing is to be looked up."""
    is_needed = bool(entry.component) and entry.kind is not Kind.INTERNALS
    cards = load_cards(index_folder) if is_needed else ()
    return ground_of(root, entry, config, Catalogue(cards) if cards else None)


def advise(case: Case, policy: Policy, today: dt.date) -> Advice:
    """Return the advice for ``case``: pure and fast enough for every key."""
    return decide_case(case, policy, today)


def review_of(
    choice: Recommendation, case: Case, advice: Advice, policy: Policy, today: dt.date
) -> Review | None:
    """Return when the fix is reviewed if ``choice`` is what is done; None when no fix goes out now.

    For a fix that was not advised the policy is asked as if there were no other way; where it gives no fix
    even then, the review comes first.
    """
    if choice is not Recommendation.FIX_FORWARD:
        return None
    if advice.recommend is choice:
        return advice.review
    alone = decide_case(dataclasses.replace(case, mitigations=()), policy, today)
    return alone.review if alone.review is not None else Review.BEFORE


def duties_of(
    choice: Recommendation, case: Case, advice: Advice, policy: Policy, today: dt.date
) -> tuple[Duty, ...]:
    """Return what is owed when ``choice`` is done, which may differ from the advice."""
    if choice is advice.recommend:
        return advice.duties
    rules = policy.applied_to(case.incident.components, case.incident.product)
    review = review_of(choice, case, advice, policy, today)
    return duties_for(choice, case.incident, rules, review=review, is_override=True)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that a person has taken.

    Attributes:
        case: what it was taken on.
        advice: what the policy advised.
        policy: the whole policy.
        chosen: what is done.
        reason: one line; empty unless ``chosen`` is not what was advised.
        decided_at: when, aware.
    """

    case: Case
    advice: Advice
    policy: Policy
    chosen: Recommendation
    reason: str
    decided_at: dt.datetime

    @property
    def is_override(self) -> bool:
        """Tell whether the person chose otherwise than advised."""
        return self.chosen is not self.advice.recommend

    @property
    def duties(self) -> tuple[Duty, ...]:
        """What is owed because of the choice."""
        return duties_of(self.chosen, self.case, self.advice, self.policy, self.decided_at.date())

    @property
    def timebox_minutes(self) -> float | None:
        """How long the fix is tried before falling back; None without a fallback or when overridden."""
        return None if self.is_override else self.advice.timebox_minutes

    def event_data(self) -> Mapping[str, object]:
        """Return the data of the ``decision`` event, from which it can be decided again."""
        return decision_data(self.case, self.advice, self.policy, self.decided_at.date())


def decision_on(
    case: Case,
    policy: Policy,
    decided_at: dt.datetime,
    *,
    chosen: Recommendation | None = None,
    reason: str = "",
) -> Decision:
    """Return the decision on ``case``.

    Args:
        case: what is decided on.
        policy: the whole policy.
        decided_at: now, aware.
        chosen: what is done; None follows the advice.
        reason: why not what was advised, one line.

    Raises:
        UsageError: when another choice comes without a reason.
    """
    advice = decide_case(case, policy, decided_at.date())
    choice = chosen or advice.recommend
    line = " ".join(reason.split())
    if choice is advice.recommend:
        line = ""
    elif not line:
        raise UsageError("Choosing otherwise needs a reason", "Write one line; the choice stands")
    return Decision(case, advice, policy, choice, line, decided_at)
