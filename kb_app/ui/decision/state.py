"""Rules of the decision panel: questions and their keys, edits, what stands on the cards. Nothing knows Qt.

Every change makes a new state; the advice is always what `decide` says to that state.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from kb_app.decision.codec import Case
from kb_app.decision.durations import compact_minutes, format_minutes, parse_minutes
from kb_app.decision.duties import COUNTED_FROM_DEPLOY, COUNTED_FROM_MITIGATION, due_at
from kb_app.decision.model import Advice, Duty, Incident, PathInput
from kb_app.decision.policy import DEFAULT_POLICY, Policy
from kb_app.decision.record import reason_to_decide_again
from kb_app.decision.values import (
    Confidence,
    DataRisk,
    Impact,
    Ordered,
    Recommendation,
    Restores,
    Reversible,
    Review,
    ReviewRule,
    Risk,
    Rule,
    Scope,
    Severity,
    Trend,
    Way,
)
from kb_app.decision.wording import advice_sentence
from kb_app.entries.model import PlannedPath
from kb_app.errors import UsageError
from kb_app.workspace.deciding import (
    UNREADABLE,
    Decision,
    Inputs,
    Prefilled,
    advise,
    decision_on,
    duties_of,
    free_move_of,
)
from kb_app.workspace.responding import StoredDecision

# Questions


class Question(StrEnum):
    """The five questions, in the order they are asked."""

    IMPACT = "impact"
    DATA = "data_risk"
    TREND = "trend"
    SCOPE = "scope"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer.

    Attributes:
        key: the key that gives it.
        text: the word on it.
        value: None for "unknown".
    """

    key: str
    text: str
    value: Ordered | None


@dataclass(frozen=True, slots=True)
class QuestionSpec:
    """A question: its label, what it asks, its answers with the unknown one last."""

    question: Question
    label: str
    asks: str
    choices: tuple[Choice, ...]


UNKNOWN_KEYS = ("0", "?")


def _spec(question: Question, label: str, asks: str, kind: type[Ordered]) -> QuestionSpec:
    known = tuple(Choice(str(n), word.value, word) for n, word in enumerate(kind, 1))
    return QuestionSpec(question, label, asks, (*known, Choice("0", "?", None)))


QUESTIONS: tuple[QuestionSpec, ...] = (
    _spec(Question.IMPACT, "Impact", "How badly are users hit?", Impact),
    _spec(Question.DATA, "Data", "Is data being damaged?", DataRisk),
    _spec(Question.TREND, "Trend", "Where is it going?", Trend),
    _spec(Question.SCOPE, "Scope", "What is broken?", Scope),
    _spec(Question.SEVERITY, "Severity", "What severity is declared?", Severity),
)
SPECS: Mapping[Question, QuestionSpec] = {spec.question: spec for spec in QUESTIONS}
_ORDER = tuple(spec.question for spec in QUESTIONS)

# Facts about a path


class Origin(StrEnum):
    """Where a value comes from."""

    STATED = "stated"
    COMPONENT = "from the component"
    ASSUMED = "assumed"
    EDITED = "entered here"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a path.

    Attributes:
        attribute: of `PathInput`.
        label: for people.
        text: the value in words.
        origin: where it comes from.
        options: values that can be chosen, as (word, text); empty for the time, which is typed.
    """

    attribute: str
    label: str
    text: str
    origin: Origin
    options: tuple[tuple[str, str], ...] = ()

    @property
    def is_assumed(self) -> bool:
        """Tell whether nobody stated it."""
        return self.origin is Origin.ASSUMED


def _words(kind: type[StrEnum]) -> tuple[tuple[str, str], ...]:
    return tuple((word.value, word.value) for word in kind)


_YES_NO = (("yes", "yes"), ("no", "no"))
_OPTIONS: Mapping[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "time_minutes": ("Time", ()),
    "risk": ("Risk", _words(Risk)),
    "reversible": ("Reversible", _words(Reversible)),
    "blast": ("Reaches", _words(Scope)),
    "confidence": ("Confidence", _words(Confidence)),
    "approval": ("Approval", (("none", "none"), ("before", "before"))),
    "loses_data": ("Data", (("no", "safe"), ("yes", "loses"))),
    "restores": ("Restores", _words(Restores)),
    "contains": ("Contains", _YES_NO),
    "is_available": ("Possible", _YES_NO),
}
FACT_ATTRIBUTES = tuple(_OPTIONS)
_KINDS: Mapping[str, type[StrEnum]] = {
    "risk": Risk,
    "reversible": Reversible,
    "blast": Scope,
    "confidence": Confidence,
    "restores": Restores,
}
_FLAGS = frozenset({"loses_data", "contains", "is_available"})
_ASSUMED_KEYS = {"time": "time_minutes"}
RULED_OUT = "ruled out while deciding"


def read_value(attribute: str, text: str) -> object:
    """Return what a person entered for an attribute of a path; None takes the statement back.

    Raises:
        UsageError: when it is no value of that attribute.
    """
    word = text.strip().lower()
    if not word:
        return None
    if attribute == "time_minutes":
        minutes = parse_minutes(f"{word}m" if word.replace(".", "", 1).isdecimal() else word)
        if minutes is None:
            raise UsageError(f"{text.strip()!r} is no time", "Write minutes, or 1h 30m")
        return minutes
    if attribute in _FLAGS:
        return word == "yes"
    kind = _KINDS.get(attribute)
    if kind is None:
        return text.strip()
    if word not in set(kind):
        raise UsageError(f"{text.strip()!r} is no value of {_OPTIONS[attribute][0]}", ", ".join(kind))
    return kind(word)


# What stands on the cards


class Tone(StrEnum):
    """Colour family of a piece of advice; the words say the same."""

    MITIGATE = "mitigate"
    FIX = "fix"
    DANGER = "danger"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Look:
    """Icon, tone and short name of a recommendation."""

    icon: str
    tone: Tone
    name: str


LOOKS: Mapping[Recommendation, Look] = {
    Recommendation.MITIGATE_THEN_FIX: Look("shield-alert", Tone.MITIGATE, "Mitigate"),
    Recommendation.FIX_FORWARD: Look("wrench", Tone.FIX, "Fix forward"),
    Recommendation.PARALLEL: Look("split", Tone.MITIGATE, "Both at once"),
    Recommendation.CONTAIN: Look("octagon-alert", Tone.DANGER, "Contain"),
    Recommendation.ESCALATE: Look("phone", Tone.DANGER, "Escalate"),
    Recommendation.NORMAL_CHANGE: Look("calendar", Tone.INFO, "Normal change"),
}

RULE_WORDS: Mapping[Rule, str] = {
    Rule.D1: "data is being damaged",
    Rule.D2: "minor and not worsening",
    Rule.D3: "no usable path",
    Rule.D4: "only the fix is usable",
    Rule.D5: "only the mitigation is usable",
    Rule.D6: "the fix is as fast",
    Rule.D7: "the mitigation is slow or partial",
    Rule.D8: "the mitigation is faster",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """The effective time of one path, in minutes ≥ 0: its own, and what approval or review adds."""

    way: Way
    own_minutes: float
    extra_minutes: float
    is_usable: bool

    @property
    def minutes(self) -> float:
        """All of it."""
        return self.own_minutes + self.extra_minutes

    @property
    def label(self) -> str:
        """Name of the way."""
        return "Mitigation" if self.way is Way.MITIGATION else "Fix"

    @property
    def text(self) -> str:
        """The time in words, with what is added."""
        if not self.extra_minutes:
            return format_minutes(self.minutes)
        for_what = "approval" if self.way is Way.MITIGATION else "review"
        return f"{format_minutes(self.minutes)}, {format_minutes(self.extra_minutes)} of it {for_what}"


@dataclass(frozen=True, slots=True)
class Times:
    """Both times on one scale.

    Attributes:
        bars: mitigation first; only what can be done at all.
        mark_minutes: effective time up to which the fix wins; None where no time changes the advice.
        flip_text: the same in words; may be empty.
    """

    bars: tuple[Bar, ...] = ()
    mark_minutes: float | None = None
    flip_text: str = ""

    @property
    def scale_minutes(self) -> float:
        """The right end of the scale, > 0."""
        return max(1.0, *(bar.minutes for bar in self.bars), self.mark_minutes or 0.0)


@dataclass(frozen=True, slots=True)
class DutyLine:
    """A duty: its rule, its sentence, and until when."""

    id: str
    text: str
    due: str


@dataclass(frozen=True, slots=True)
class Timebox:
    """How long the fix still has; seconds, ``left_s`` is 0 when it is over."""

    left_s: int
    total_s: int

    @property
    def is_over(self) -> bool:
        """Tell whether the time has run out."""
        return self.left_s <= 0

    @property
    def clock(self) -> str:
        """What is left as ``m:ss`` or ``h:mm:ss``."""
        minutes, seconds = divmod(self.left_s, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@dataclass(frozen=True, slots=True)
class Override:
    """Choosing otherwise, while it is being written.

    Attributes:
        chosen: what shall be done.
        reason: as typed.
        is_reason_missing: it was tried without a reason.
    """

    chosen: Recommendation
    reason: str = ""
    is_reason_missing: bool = False


class Slot(IntEnum):
    """Which path of a way the facts show when nobody chose one."""

    WEIGHED = -1


Edits = Mapping[tuple[Way, int], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class DecisionState:
    """Everything the panel shows.

    Attributes:
        inputs: what the entry gives, and paths added while deciding.
        policy: the knowledge base's.
        answers: what was answered; None is "unknown", said so; a question that is missing is still open.
        current: the question the keys answer; None when all have been asked.
        edits: what people entered about a path, by way and position.
        shown: which path of each way the facts show; the one that was weighed where it is missing.
        is_data_loss_accepted: the data owner has accepted a loss.
        override: the choice being written; None while the advice is followed.
        decision: the last decision taken.
    """

    inputs: Inputs = field(default_factory=Inputs)
    policy: Policy = DEFAULT_POLICY
    answers: Mapping[Question, Ordered | None] = field(default_factory=dict)
    current: Question | None = Question.IMPACT
    edits: Edits = field(default_factory=dict)
    shown: Mapping[Way, int] = field(default_factory=dict)
    is_data_loss_accepted: bool = False
    override: Override | None = None
    decision: Decision | None = None

    # -- what is known --------------------------------------------------------------------------------

    @property
    def incident(self) -> Incident:
        """The incident as answered; None is unknown."""
        answers = {question.value: self.answers.get(question) for question in _ORDER}
        changes = {**answers, "is_data_loss_accepted": self.is_data_loss_accepted}
        return dataclasses.replace(self.inputs.incident, **changes)  # type: ignore[arg-type]  # named alike

    def paths(self, way: Way) -> tuple[PathInput, ...]:
        """Return the paths of one way with what people entered."""
        return tuple(
            _edited(prefilled.input, self.edits.get((way, position), {}))
            for position, prefilled in enumerate(self.inputs.of(way))
        )

    @property
    def case(self) -> Case:
        """The decision input."""
        return Case(self.incident, self.paths(Way.MITIGATION), self.paths(Way.FIX))

    def advice(self, today: dt.date) -> Advice:
        """Return what the policy advises now."""
        return advise(self.case, self.policy, today)

    @property
    def free_move(self) -> tuple[PlannedPath, str] | None:
        """What may be done now, and under what condition."""
        scope = self.answers.get(Question.SCOPE)
        possible = tuple(
            prefilled
            for prefilled, path in zip(self.inputs.mitigations, self.paths(Way.MITIGATION), strict=True)
            if path.is_available
        )
        inputs = dataclasses.replace(self.inputs, mitigations=possible)
        return free_move_of(inputs, scope if isinstance(scope, Scope) else None)

    # -- answering ------------------------------------------------------------------------------------

    def answered(self, key: str) -> DecisionState:
        """Return the state after a key for the current question; itself when the key means nothing."""
        if self.current is None:
            return self
        wanted = "0" if key in UNKNOWN_KEYS else key
        choice = next((c for c in SPECS[self.current].choices if c.key == wanted), None)
        return self if choice is None else self.with_answer(self.current, choice.value)

    def with_answer(self, question: Question, value: Ordered | None) -> DecisionState:
        """Return the state with one answer; the next question is the current one then."""
        position = _ORDER.index(question) + 1
        following = _ORDER[position] if position < len(_ORDER) else None
        return dataclasses.replace(self, answers={**self.answers, question: value}, current=following)

    def at(self, question: Question | None) -> DecisionState:
        """Return the state in which the keys answer ``question``."""
        return dataclasses.replace(self, current=question)

    def back(self) -> DecisionState:
        """Return the state one question earlier; its answer stays until another is given."""
        if self.current is None:
            return self.at(_ORDER[-1])
        return self.at(_ORDER[max(0, _ORDER.index(self.current) - 1)])

    def forward(self) -> DecisionState:
        """Return the state one question later, nothing answered."""
        if self.current is None or self.current is _ORDER[-1]:
            return self.at(_ORDER[-1])
        return self.at(_ORDER[_ORDER.index(self.current) + 1])

    # -- paths ----------------------------------------------------------------------------------------

    def edited(self, way: Way, position: int, attribute: str, text: str) -> DecisionState:
        """Return the state with a value entered; an empty text takes the statement back.

        Raises:
            UsageError: when it is no value of that attribute.
        """
        key = (way, position)
        entered = {**self.edits.get(key, {}), attribute: read_value(attribute, text)}
        if attribute == "is_available":
            entered.pop("why", None)  # it belonged to the former answer
        return dataclasses.replace(self, edits={**self.edits, key: entered})

    def restored(self, way: Way, position: int, attribute: str) -> DecisionState:
        """Return the state with the entry's own value again."""
        key = (way, position)
        gone = {attribute, "why"} if attribute == "is_available" else {attribute}
        left = {name: value for name, value in self.edits.get(key, {}).items() if name not in gone}
        return dataclasses.replace(self, edits={**self.edits, key: left})

    def is_edited(self, way: Way, position: int, attribute: str) -> bool:
        """Tell whether somebody entered this value here."""
        return attribute in self.edits.get((way, position), {})

    def with_path(self, way: Way, name: str = "") -> DecisionState:
        """Return the state with one more path that somebody knows; all about it is assumed until entered."""
        added = Prefilled(way, PathInput(name=name), is_added=True)
        mitigations, fixes = self.inputs.mitigations, self.inputs.fixes
        if way is Way.MITIGATION:
            inputs = dataclasses.replace(self.inputs, mitigations=(*mitigations, added))
        else:
            inputs = dataclasses.replace(self.inputs, fixes=(*fixes, added))
        return dataclasses.replace(self, inputs=inputs, shown={**self.shown, way: len(self.inputs.of(way))})

    def showing(self, way: Way, position: int) -> DecisionState:
        """Return the state in which the facts of this path are shown."""
        return dataclasses.replace(self, shown={**self.shown, way: position})

    def shown_position(self, way: Way, advice: Advice) -> int | None:
        """Return which path's facts are shown: the chosen one, else the one that was weighed."""
        paths = self.paths(way)
        if not paths:
            return None
        chosen = self.shown.get(way, Slot.WEIGHED)
        if 0 <= chosen < len(paths):
            return chosen
        weighed = advice.mitigation if way is Way.MITIGATION else advice.fix
        return next((n for n, path in enumerate(paths) if path is weighed or path == weighed), 0)

    def facts(self, way: Way, position: int, today: dt.date) -> tuple[Fact, ...]:
        """Return what is known about a path, in the order of `FACT_ATTRIBUTES`."""
        path = self.paths(way)[position]
        alone = Case(
            self.incident,
            (path,) if way is Way.MITIGATION else (),
            (path,) if way is Way.FIX else (),
        )
        assumed = {
            _ASSUMED_KEYS.get(a.key, a.key): a.value
            for a in advise(alone, self.policy, today).assumed
            if a.of == way.value
        }
        from_component = self.inputs.of(way)[position].from_component
        rows = []
        for attribute, (label, options) in _OPTIONS.items():
            if attribute == "contains" and not self._asks_for_containment(path):
                continue
            origin = Origin.STATED
            if attribute in assumed:
                origin = Origin.ASSUMED
            elif self.is_edited(way, position, attribute):
                origin = Origin.EDITED
            elif attribute in from_component:
                origin = Origin.COMPONENT
            rows.append(Fact(attribute, label, _fact_text(path, attribute, assumed), origin, options))
        return tuple(rows)

    def _asks_for_containment(self, path: PathInput) -> bool:
        return path.contains or self.answers.get(Question.DATA) is DataRisk.ACTIVE

    def with_ground(self, inputs: Inputs, policy: Policy) -> DecisionState:
        """Return the state with the policy and with what the entry gives now; answers and edits stay.

        A path is known again by where it stands in which entry; what was entered about a path that is gone is
        dropped. Paths that were added while deciding stay behind the entry's own.
        """
        added = {way: tuple(path for path in self.inputs.of(way) if path.is_added) for way in Way}
        merged = dataclasses.replace(
            inputs,
            mitigations=(*inputs.mitigations, *added[Way.MITIGATION]),
            fixes=(*inputs.fixes, *added[Way.FIX]),
        )
        places = {
            (way, position): _place(way, merged.of(way), path)
            for way in Way
            for position, path in enumerate(self.inputs.of(way))
        }
        edits = {place: self.edits[old] for old, place in places.items() if place and old in self.edits}
        shown = {
            way: place[1] for way, position in self.shown.items() if (place := places.get((way, position)))
        }
        answers = dict(self.answers)
        if inputs.incident.severity is not None:
            answers.setdefault(Question.SEVERITY, inputs.incident.severity)
        return dataclasses.replace(
            self, inputs=merged, policy=policy, edits=edits, shown=shown, answers=answers
        )

    # -- what a record says ---------------------------------------------------------------------------

    def with_known(self, now: Incident, before: Incident) -> DecisionState:
        """Return the state with what the record states ``now``, where that differs from ``before``.

        What nobody answered here is filled in too; an answer given here stays until the record says else.
        The keys answer the first question that is still open.
        """
        answers = dict(self.answers)
        for question in _ORDER:
            value = getattr(now, question.value)
            is_news = value != getattr(before, question.value) or question not in answers
            if value is not None and is_news:
                answers[question] = value
        if answers == dict(self.answers):
            return self
        is_asking = self.decision is None and self.current is not None
        following = next((q for q in _ORDER if q not in answers), None) if is_asking else self.current
        return dataclasses.replace(self, answers=answers, current=following)

    def with_stored(self, stored: StoredDecision) -> DecisionState:
        """Return the state in which a decision that a record keeps holds: its answers, its edits, itself.

        A decision taken since in this window stays.
        """
        if self.decision is not None:
            return self
        incident = stored.case.incident
        answers = {question: getattr(incident, question.value) for question in _ORDER}
        edits = {**self.edits}
        for way, kept in ((Way.MITIGATION, stored.case.mitigations), (Way.FIX, stored.case.fixes)):
            for position, path in enumerate(self.paths(way)):
                known = next((one for one in kept if one.name == path.name), None)
                if known is not None and (entered := _entered(path, known)):
                    edits[way, position] = {**edits.get((way, position), {}), **entered}
        return dataclasses.replace(
            self,
            answers=answers,
            edits=edits,
            is_data_loss_accepted=incident.is_data_loss_accepted,
            decision=stored.again(self.policy),
            current=None,
        )

    # -- deciding -------------------------------------------------------------------------------------

    def decided(self, now: dt.datetime) -> DecisionState:
        """Return the state in which the advice is followed from ``now`` on."""
        decision = decision_on(self.case, self.policy, now)
        return dataclasses.replace(self, decision=decision, override=None)

    def override_opened(self, today: dt.date) -> DecisionState:
        """Return the state in which another choice is being written."""
        advised = self.advice(today).recommend
        opposite = (
            Recommendation.FIX_FORWARD
            if advised is Recommendation.MITIGATE_THEN_FIX
            else Recommendation.MITIGATE_THEN_FIX
        )
        return dataclasses.replace(self, override=Override(opposite))

    def override_changed(
        self, *, chosen: Recommendation | None = None, reason: str | None = None
    ) -> DecisionState:
        """Return the state with another choice or reason; itself when nothing is being written."""
        draft = self.override
        if draft is None:
            return self
        words = draft.reason if reason is None else reason
        changed = Override(chosen or draft.chosen, words, draft.is_reason_missing and not words.strip())
        return dataclasses.replace(self, override=changed)

    def override_closed(self) -> DecisionState:
        """Return the state in which the advice is followed again."""
        return dataclasses.replace(self, override=None)

    def overridden(self, now: dt.datetime) -> DecisionState:
        """Return the state in which the written choice holds; without a reason it asks for one."""
        draft = self.override
        if draft is None:
            return self
        try:
            decision = decision_on(self.case, self.policy, now, chosen=draft.chosen, reason=draft.reason)
        except UsageError:
            missing = dataclasses.replace(draft, is_reason_missing=True)
            return dataclasses.replace(self, override=missing)
        return dataclasses.replace(self, decision=decision, override=None)

    @property
    def path_to_take(self) -> PlannedPath | None:
        """The path whose steps come first after the decision; None where no entry holds its steps."""
        if self.decision is None:
            return None
        advice, chosen = self.decision.advice, self.decision.chosen
        way, wanted = Way.MITIGATION, advice.mitigation
        if chosen is Recommendation.FIX_FORWARD:
            way, wanted = Way.FIX, advice.fix
        elif chosen is Recommendation.CONTAIN:
            wanted = advice.containing
            way = Way.FIX if wanted in self.decision.case.fixes else Way.MITIGATION
        elif chosen in (Recommendation.ESCALATE, Recommendation.NORMAL_CHANGE):
            return None
        named = (path for path in self.inputs.of(way) if wanted and path.input.name == wanted.name)
        return next((path.planned for path in named if path.planned is not None), None)

    def reopened(self) -> DecisionState:
        """Return the state in which it is decided again; answers and edits stay."""
        return dataclasses.replace(self, decision=None, override=None, current=Question.IMPACT)

    def fallen_back(self, now: dt.datetime) -> DecisionState:
        """Return the state in which the fix, its time being over, is ruled out and the rest is decided on.

        That is no override: falling back is a part of the advice to try the fix first.
        """
        timebox, tried = self.timebox(now), self.decision.advice.fix if self.decision else None
        if timebox is None or not timebox.is_over or tried is None:
            return self
        edits = dict(self.edits)
        for position, path in enumerate(self.paths(Way.FIX)):
            if path.name == tried.name and path.is_available:
                why = f"it did not work within {format_minutes(timebox.total_s / 60)}"
                key = (Way.FIX, position)
                edits[key] = {**edits.get(key, {}), "is_available": False, "why": why}
                break
        return dataclasses.replace(self, edits=edits).decided(now)

    def timebox(self, now: dt.datetime) -> Timebox | None:
        """Return how long the fix still has; None without a decision that limits it."""
        decision = self.decision
        if decision is None or decision.timebox_minutes is None:
            return None
        total = round(decision.timebox_minutes * 60)
        passed = (now - decision.decided_at).total_seconds()
        return Timebox(max(0, min(total, -int((passed - total) // 1))), total)

    def why_again(self, now: dt.datetime) -> str:
        """Return why a new decision is due, one sentence; empty while the last one holds."""
        decision = self.decision
        if decision is None:
            return ""
        then = decision.advice
        if decision.timebox_minutes is None:
            then = dataclasses.replace(then, timebox_minutes=None)
        reason = reason_to_decide_again(decision.case.incident, self.incident, decision.decided_at, now, then)
        if reason:
            return reason
        advice = advise(self.case, self.policy, decision.decided_at.date())
        if (advice.recommend, advice.review) != (then.recommend, then.review):
            return "What is known has changed, and the advice with it: decide again."
        return ""

    def duties(self, advice: Advice, today: dt.date) -> tuple[Duty, ...]:
        """Return what is owed: by the decision, else by the choice being written, else by the advice."""
        if self.decision is not None:
            return self.decision.duties
        if self.override is not None:
            return duties_of(self.override.chosen, self.case, advice, self.policy, today)
        return advice.duties


def first_state(inputs: Inputs, policy: Policy = DEFAULT_POLICY) -> DecisionState:
    """Return the state before the first key; a severity that the entry states is filled in."""
    severity = inputs.incident.severity
    answers = {Question.SEVERITY: severity} if severity is not None else {}
    return DecisionState(inputs=inputs, policy=policy, answers=answers)


def _entered(path: PathInput, known: PathInput) -> dict[str, object]:
    """Return what has to be entered about ``path`` to make it what a record keeps as ``known``."""
    names = (*FACT_ATTRIBUTES, "why")
    return {name: getattr(known, name) for name in names if getattr(known, name) != getattr(path, name)}


def _place(way: Way, paths: tuple[Prefilled, ...], wanted: Prefilled) -> tuple[Way, int] | None:
    """Return where a path stands among ``paths``; None when it is gone."""
    for position, path in enumerate(paths):
        if path is wanted or (not wanted.is_added and not path.is_added and _same(path, wanted)):
            return way, position
    return None


def _same(one: Prefilled, other: Prefilled) -> bool:
    if one.planned is None or other.planned is None:
        return one.planned is other.planned and one.input.name == other.input.name
    first, second = one.planned, other.planned
    return (first.entry_path, first.path.anchor) == (second.entry_path, second.path.anchor)


def _edited(path: PathInput, entered: Mapping[str, object]) -> PathInput:
    if not entered:
        return path
    changes = dict(entered)
    if changes.get("is_available") is None:
        changes.pop("is_available", None)
    elif not changes["is_available"]:
        changes.setdefault("why", path.why or RULED_OUT)
    if changes.get("contains", True) is None:
        changes["contains"] = False
    return dataclasses.replace(
        path,
        **changes,  # type: ignore[arg-type]  # read_value gives values of these very fields
        defaulted=path.defaulted - frozenset(changes),
    )


def _fact_text(path: PathInput, attribute: str, assumed: Mapping[str, str]) -> str:
    if attribute == "time_minutes":
        minutes = path.time_minutes
        if minutes is None:
            minutes = float(assumed["time_minutes"]) if "time_minutes" in assumed else None
        return format_minutes(minutes) if minutes is not None else "–"
    value = getattr(path, attribute)
    if attribute in _FLAGS:
        word = assumed.get(attribute) or ("yes" if value else "no")
        return dict(_OPTIONS[attribute][1])[word]
    if attribute == "approval" and value is not None:
        return str(value)
    return assumed.get(attribute) or (str(value) if value is not None else "–")


def time_to_edit(path: PathInput) -> str:
    """Return the time of a path as a person edits it; empty while it is not stated."""
    return "" if path.time_minutes is None else compact_minutes(path.time_minutes)


# Words for the cards


def taken_as(advice: Advice) -> Mapping[Question, str]:
    """Return what each unknown answer counts as; a question that is answered is missing."""
    return {Question(assumed.key): assumed.value for assumed in advice.assumed if assumed.of == "incident"}


def headline(advice: Advice) -> str:
    """Return the advice in one sentence."""
    return advice_sentence(advice)


def accept_text(advice: Advice) -> str:
    """Return what the button says: what is done, and for a fix when its review is."""
    if advice.recommend is not Recommendation.FIX_FORWARD:
        return {
            Recommendation.MITIGATE_THEN_FIX: "Mitigate now",
            Recommendation.PARALLEL: "Do both at once",
            Recommendation.CONTAIN: "Contain now",
            Recommendation.ESCALATE: "Escalate",
            Recommendation.NORMAL_CHANGE: "Normal change",
        }[advice.recommend]
    return "Fix now, review after" if advice.review is Review.AFTER else "Fix: needs review first"


def rule_text(advice: Advice) -> str:
    """Return the ids of the rules that gave the advice, as in ``D6 · V2``."""
    review: ReviewRule | None = advice.review_rule
    return f"{advice.rule} · {review}" if review is not None else advice.rule.value


def times_of(advice: Advice, state: DecisionState) -> Times:
    """Return both times on one scale, with the mark up to which the fix wins."""
    incident = state.incident
    rules = state.policy.applied_to(incident.components, incident.product)
    blocked = {(b.way, b.name) for b in advice.blocked}
    bars = []
    for way, path, minutes in (
        (Way.MITIGATION, advice.mitigation, advice.mitigation_minutes),
        (Way.FIX, advice.fix, advice.fix_minutes),
    ):
        if path is None or minutes is None:
            continue
        own = path.time_minutes if path.time_minutes is not None else rules.assumed_time(way)
        bars.append(Bar(way, own, max(0.0, minutes - own), (way, path.name) not in blocked))
    flip = advice.flip_minutes
    if flip is None:
        return Times(tuple(bars))
    review = next((bar.extra_minutes for bar in bars if bar.way is Way.FIX), 0.0)
    return Times(tuple(bars), flip + review, f"Fix wins if ready within {format_minutes(flip)}")


def bullets_of(advice: Advice, times: Times) -> tuple[str, ...]:
    """Return the reasons that nothing else on the card shows already."""
    told = {f"{b.why}. {b.unblock} ({b.who})." for b in advice.blocked}
    if advice.rule is Rule.D2 or advice.timebox_minutes is not None:
        told |= {
            reason for reason in advice.reasons if reason.startswith(("This is no emergency", "Fall back"))
        }
    if advice.flip_minutes is not None:
        told.add(f"The fix wins if it is ready within {format_minutes(advice.flip_minutes)}.")
    counted = tuple(f" counts {format_minutes(bar.minutes)}" for bar in times.bars)
    return tuple(
        reason for reason in advice.reasons if reason not in told and not any(c in reason for c in counted)
    )


def duty_lines(duties: tuple[Duty, ...], now: dt.datetime, *, is_decided: bool) -> tuple[DutyLine, ...]:
    """Return the duties with clock times in the time zone of ``now``.

    Args:
        duties: in order of their ids.
        now: what deployment and mitigation are counted from: the decision once it is taken, else this moment.
        is_decided: the decision is taken.
    """
    lines = []
    for duty in duties:
        due = due_at(duty, now)
        if due is None:
            text = "before closing"
        else:
            text = f"by {clock_text(due, now)}"
            if not is_decided:
                start = {COUNTED_FROM_DEPLOY: "deployed", COUNTED_FROM_MITIGATION: "mitigated"}
                text += f", if {start.get(duty.counted_from, 'done')} now"
        lines.append(DutyLine(duty.obligation.value, duty.text, text))
    return tuple(lines)


def clock_text(moment: dt.datetime, now: dt.datetime) -> str:
    """Return a time for people: ``18:05``, ``tomorrow 18:05``, ``Tue 2 Dec, 18:05``."""
    clock = f"{moment:%H:%M}"
    days = (moment.date() - now.date()).days
    if days == 0:
        return clock
    if days == 1:
        return f"tomorrow {clock}"
    year = f" {moment.year}" if moment.year != now.year else ""
    return f"{moment:%a} {moment.day} {moment:%b}{year}, {clock}"


def policy_text(policy: Policy) -> str:
    """Return which policy is in force."""
    if policy.revision == DEFAULT_POLICY.revision:
        return "Default policy (the knowledge base has no policy.yml)"
    if policy.revision == UNREADABLE:
        return "policy.yml cannot be read: every fix is reviewed first"
    return f"policy.yml @{policy.revision[:7]}"


def path_name(path: PathInput, way: Way) -> str:
    """Return a path's name, or what stands for it."""
    return path.name or ("The mitigation" if way is Way.MITIGATION else "The fix")
