"""What stands in the window before an entry is open: the first-run page and the tips of an empty reader."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from kb_app.ui.common.actions import ActionId, shortcut_of
from kb_app.ui.common.fonts import ui_font
from kb_app.ui.common.icons import bind_icon
from kb_app.ui.common.widgets import IconLabel, KeyCap, label, plain_tooltip, text_button


class _Choice(QFrame):
    """One way to begin: icon, title, a sentence, a button."""

    def __init__(self, icon: str, title: str, text: str, *, button: str, role: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        box = QVBoxLayout(self)
        box.setContentsMargins(20, 20, 20, 20)
        box.setSpacing(8)
        box.addWidget(IconLabel(icon, "accent", 24, self))
        box.addSpacing(4)
        box.addWidget(label(title, "title", self))
        text_label = label(text, "secondary", self, wrap=True)
        text_label.setMinimumHeight(54)
        text_label.setAlignment(Qt.AlignmentFlag.AlignTop)
        box.addWidget(text_label)
        box.addSpacing(8)
        self.button = text_button(button, role, parent=self)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        box.addLayout(row)


class WelcomePage(QWidget):
    """Shown at the very first start.

    Signals:
        bundled_chosen(): begin with the bundled entries.
        folder_chosen(): a folder of Markdown files shall be chosen.
        repository_chosen(): a Git repository shall be added.
    """

    bundled_chosen = Signal()
    folder_chosen = Signal()
    repository_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page."""
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QWidget(self)
        column.setFixedWidth(960)
        box = QVBoxLayout(column)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        title = label("Find the entry, mitigate, fix forward", "", column)
        title.setFont(ui_font(25, 600))
        box.addWidget(title)
        lead = label(
            "Paste an error or an alert and read what to do now and what to fix afterwards. Everything works "
            "without a network, and reading changes none of your files.",
            "",
            column,
            wrap=True,
        )
        lead.setFont(ui_font(14))
        box.addWidget(lead)
        box.addSpacing(20)
        row = QHBoxLayout()
        row.setSpacing(16)
        self.bundled = _Choice(
            "book-open",
            "Start with the bundled entries",
            "Known fixes, runbooks and internals for PostgreSQL, Kubernetes, nginx and Redis.",
            button="Start",
            role="primary",
            parent=column,
        )
        self.folder = _Choice(
            "folder-open",
            "Open a folder of your own",
            "Any folder of Markdown files: runbooks, a wiki, documentation. It is read as it is; the index "
            "lies elsewhere.",
            button="Choose a folder…",
            role="",
            parent=column,
        )
        self.repository = _Choice(
            "git-branch",
            "Add your team's repository",
            "A Git address is enough: it is copied once, searched without a network, and kept up to date "
            "quietly.",
            button="Add a repository…",
            role="",
            parent=column,
        )
        for choice in (self.bundled, self.folder, self.repository):
            row.addWidget(choice, 1)
        box.addLayout(row)
        box.addSpacing(16)
        self.index_text = label("", "secondary", column)
        box.addWidget(self.index_text)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        outer.addWidget(column, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)
        self.bundled.button.clicked.connect(self.bundled_chosen)
        self.folder.button.clicked.connect(self.folder_chosen)
        self.repository.button.clicked.connect(self.repository_chosen)
        self.setFocusProxy(self.bundled.button)


TIPS: tuple[tuple[ActionId | str, str], ...] = (
    (ActionId.FOCUS_SEARCH, "search: words, an alert's name, an error"),
    (ActionId.SEARCH_CLIPBOARD, "search for what is on the clipboard"),
    ("Enter", "open the chosen entry"),
    (ActionId.MITIGATE, "its mitigation; the fix is next to it"),
    (ActionId.COPY_COMMAND, "copy the current command"),
    (ActionId.SHORTCUTS, "all keys"),
)


class HomePanel(QWidget):
    """Stands in the reader's place while no entry is open: what one can do, by key."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the panel."""
        super().__init__(parent)
        self.setObjectName("home")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QWidget(self)
        column.setMaximumWidth(420)
        box = QVBoxLayout(column)
        box.setContentsMargins(28, 0, 28, 0)
        box.setSpacing(6)
        box.addWidget(IconLabel("text-search", "accent", 28, column))
        box.addSpacing(6)
        box.addWidget(label("What is wrong?", "display", column))
        lead = label(
            "Paste the error or the alert into the search field. What to do now stands beside the entry.",
            "secondary",
            column,
            wrap=True,
        )
        lead.setFont(ui_font(13))
        box.addWidget(lead)
        box.addSpacing(16)
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(10)
        for row, (key, text) in enumerate(TIPS):
            keys = shortcut_of(key) if isinstance(key, ActionId) else key
            grid.addWidget(KeyCap(keys.replace("+", " "), column), row, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(label(text, "secondary", column), row, 1)
        grid.setColumnStretch(1, 1)
        box.addLayout(grid)
        box.addSpacing(16)
        self.owed = text_button("", "link", "list-checks", column)
        self.owed.setObjectName("owedLine")
        self.owed.hide()
        self.owed.clicked.connect(self._on_owed)
        self._run_owed: Callable[[], None] | None = None
        box.addWidget(self.owed, 0, Qt.AlignmentFlag.AlignLeft)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addStretch(2)
        row_box = QHBoxLayout()
        row_box.addStretch(1)
        row_box.addWidget(column)
        row_box.addStretch(1)
        outer.addLayout(row_box)
        outer.addStretch(3)

    def show_owed(self, text: str, *, is_overdue: bool, run: Callable[[], None]) -> None:
        """Say what is owed, in one line that leads there; an empty text says nothing."""
        self._run_owed = run
        shown = self.owed.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 340)
        self.owed.setText(shown)
        self.owed.setAccessibleName(text)
        self.owed.setToolTip(plain_tooltip(f"{text} ({shortcut_of(ActionId.DUTIES)})"))
        bind_icon(self.owed, "list-checks", "danger" if is_overdue else "accent", 16)
        self.owed.setVisible(bool(text))

    def _on_owed(self) -> None:
        if self._run_owed is not None:
            self._run_owed()
