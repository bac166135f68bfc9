"""What can be copied for a ticket, and in which forms: names, keys, what was chosen last."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kb_app.incidents.book import EXPORTS
from kb_app.incidents.markup import Form

WHATS: tuple[tuple[str, str], ...] = (
    ("timeline", "1  Timeline"),
    ("runs", "2  Steps"),
    ("handover", "3  Handover"),
    ("draft", "4  Review draft"),
    ("customer", "5  For the customer"),
)
FORMS: tuple[tuple[str, str], ...] = (
    (Form.MARKDOWN.value, "M  Markdown"),
    (Form.JIRA.value, "J  Jira, Confluence"),
    (Form.HTML.value, "H  Rich text"),
    (Form.PLAIN.value, "P  Plain text"),
)
FORM_KEYS = {"m": Form.MARKDOWN, "j": Form.JIRA, "h": Form.HTML, "p": Form.PLAIN}
SUFFIXES = {Form.MARKDOWN: "md", Form.JIRA: "txt", Form.HTML: "html", Form.PLAIN: "txt"}


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What is copied and how.

    Attributes:
        what: one of `EXPORTS`.
        form: how it is written.
    """

    what: str = "timeline"
    form: Form = Form.MARKDOWN

    def with_what(self, what: str) -> ExportChoice:
        """Return the choice with another text; one that does not exist changes nothing."""
        return replace(self, what=what) if what in EXPORTS else self

    def with_form(self, form: str) -> ExportChoice:
        """Return the choice with another form; one that does not exist changes nothing."""
        return replace(self, form=Form(form)) if form in set(Form) else self


def remembered(text: str) -> ExportChoice:
    """Return the choice that ``text`` spells, as `spelled` wrote it; the default for anything else."""
    what, _, form = text.partition("/")
    return ExportChoice().with_what(what).with_form(form)


def spelled(choice: ExportChoice) -> str:
    """Return a choice as it is remembered."""
    return f"{choice.what}/{choice.form.value}"


def copied_words(choice: ExportChoice) -> str:
    """Return what was copied, for the passing remark."""
    whats = dict(WHATS)
    forms = dict(FORMS)
    return f"{whats[choice.what][3:]} copied as {forms[choice.form.value][3:]}"
