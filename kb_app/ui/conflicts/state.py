"""Rules of the conflict page: what is open, what was chosen, what the result is; knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kb_app.errors import UsageError
from kb_app.gitstore.answers import JoinedFile, Question, page_text
from kb_app.gitstore.conflicts import ChangeKind, Choice, Conflict, UnitKind
from kb_app.gitstore.leaks import has_markers
from kb_app.gitstore.proposals import FileMerge
from kb_app.gitstore.words import Run, RunKind, word_diff
from kb_app.workspace.past import shown

CHOICE_NAMES: Mapping[Choice, str] = {
    Choice.MINE: "mine",
    Choice.THEIRS: "theirs",
    Choice.BOTH: "both",
}
MARKED = "The text still holds the marks of a merge: remove the lines with <<<<<<< and >>>>>>>"


@dataclass(frozen=True, slots=True)
class Place:
    """One place where a choice is needed: the file and its conflict."""

    merge: FileMerge
    conflict: Conflict

    @property
    def key(self) -> tuple[str, int]:
        """What names it in the choices."""
        return self.merge.path, self.conflict.number

    @property
    def title(self) -> str:
        """What a person would call it."""
        conflict = self.conflict
        if conflict.kind is UnitKind.PAGE:
            return "The whole page"
        if conflict.kind is UnitKind.PREAMBLE:
            return "The text before the first heading"
        return conflict.title or "The page's facts"

    @property
    def can_keep_both(self) -> bool:
        """Both texts can stand one after the other."""
        return self.conflict.can_keep_both

    @property
    def can_write(self) -> bool:
        """A text of one's own can take the place."""
        return self.merge.is_text

    @property
    def question(self) -> str:
        """What happened here, one sentence."""
        conflict = self.conflict
        if not self.merge.is_text:
            return "This file is no text, so one of the two is kept as it is."
        if conflict.mine is None:
            return "You removed this; it was changed by somebody else meanwhile."
        if conflict.theirs is None:
            return "You changed this; it was removed by somebody else meanwhile."
        if conflict.base is None:
            return "You and somebody else both added this, each in another way."
        if conflict.kind is UnitKind.PAGE:
            return "You and somebody else both moved sections about, each in another way."
        return "You and somebody else both changed this, each in another way."

    def runs(self, *, is_mine: bool) -> tuple[Run, ...]:
        """Return one side's text with the words that side changed."""
        conflict = self.conflict
        own, other = (conflict.mine, conflict.theirs) if is_mine else (conflict.theirs, conflict.mine)
        if own is None:
            return (Run(RunKind.REMOVED, shown(conflict.base or "")),)
        if conflict.base is None:
            runs = word_diff(shown(other or ""), shown(own))
            return tuple(run for run in runs if run.kind is not RunKind.REMOVED)
        return word_diff(shown(conflict.base), shown(own))

    def starting_text(self, choice: Choice | str | None) -> str:
        """Return the text that writing by hand begins with."""
        if isinstance(choice, str) and not isinstance(choice, Choice):
            return choice
        if isinstance(choice, Choice):
            return self.conflict.kept(choice)
        return self.conflict.kept(Choice.BOTH if self.can_keep_both else Choice.MINE)


@dataclass(frozen=True, slots=True)
class Answers:
    """A question and what was chosen so far."""

    question: Question
    choices: Mapping[tuple[str, int], Choice | str] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that needs a choice, in order."""
        return tuple(
            Place(merge, conflict) for merge in self.question.merges for conflict in merge.merge.conflicts
        )

    def choice(self, place: Place) -> Choice | str | None:
        """Return what was chosen for a place."""
        return self.choices.get(place.key)

    def choice_text(self, place: Place) -> str:
        """Return what was chosen for a place, in words; empty while it is open."""
        choice = self.choice(place)
        if choice is None:
            return ""
        return CHOICE_NAMES[choice] if isinstance(choice, Choice) else "your own text"

    def chosen(self, place: Place, choice: Choice | str) -> Answers:
        """Return the answers with one more choice.

        Raises:
            UsageError: when it is not possible there.
        """
        if choice is Choice.BOTH and not place.can_keep_both:
            raise UsageError("These two cannot both be kept", "Keep one of them, or write your own text")
        if not isinstance(choice, Choice):
            if not place.can_write:
                raise UsageError("This file is no text", "Keep one of the two")
            if has_markers(choice):
                raise UsageError(MARKED)
        return replace(self, choices={**self.choices, place.key: choice})

    @property
    def open_count(self) -> int:
        """How many places still need a choice."""
        return sum(self.choice(place) is None for place in self.places)

    @property
    def is_complete(self) -> bool:
        """Nothing is open."""
        return self.open_count == 0

    def next_open(self, after: int) -> int:
        """Return the next place that needs a choice, around the end; -1 when there is none."""
        places = self.places
        order = [*range(after + 1, len(places)), *range(after + 1)]
        return next((i for i in order if self.choice(places[i]) is None), -1)

    @property
    def progress(self) -> str:
        """How far one is, in words."""
        total = len(self.places)
        if self.is_complete:
            return "Everything is decided" if total != 1 else "It is decided"
        return f"{total - self.open_count} of {total} decided"

    def result(self, merge: FileMerge) -> tuple[Run, ...]:
        """Return how the file will differ from theirs.

        Raises:
            UsageError: while something is open.
        """
        text = page_text(merge, self.choices)
        return word_diff(shown(theirs_of(merge)), shown(text or ""))

    def carried_to(self, question: Question) -> Answers:
        """Return the answers for a question asked anew: choices stay where both texts are still the same."""
        kept = {}
        fresh = Answers(question)
        before = {
            (p.merge.path, p.conflict.title, p.conflict.mine, p.conflict.theirs): self.choice(p)
            for p in self.places
        }
        for place in fresh.places:
            conflict = place.conflict
            choice = before.get((place.merge.path, conflict.title, conflict.mine, conflict.theirs))
            if choice is not None:
                kept[place.key] = choice
        return replace(fresh, choices=kept)


def theirs_of(merge: FileMerge) -> str:
    """Return the page with theirs in every open place: what the result is compared with."""
    choices = {(merge.path, conflict.number): Choice.THEIRS for conflict in merge.merge.conflicts}
    return page_text(merge, choices) or ""


def joined_lines(joined: JoinedFile) -> tuple[str, ...]:
    """Return what others changed elsewhere in a file, one line each."""
    words = {ChangeKind.CHANGED: "", ChangeKind.ADDED: " (new)", ChangeKind.REMOVED: " (removed)"}
    return tuple(f"{change.title or 'The opening text'}{words[change.kind]}" for change in joined.changes)
