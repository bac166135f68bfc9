"""Two pages that cover the panes: the settings, and the keyboard shortcuts made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kb_app import __version__
from kb_app.settings import Settings
from kb_app.ui.common.actions import ACTIONS, FIXED_KEYS, ActionSpec, MenuName, shown_keys
from kb_app.ui.common.page import Page
from kb_app.ui.common.style import set_property
from kb_app.ui.common.widgets import (
    Chip,
    ElidedLabel,
    Hairline,
    IconButton,
    IconLabel,
    KeyCap,
    label,
    text_button,
)
from kb_app.workspace.bases import Workspace
from kb_app.workspace.layers import ROLE_WORDS, LayerRole, role_of
from kb_app.workspace.record_settings import is_folder_name

_THEMES = (("light", "Light", "sun"), ("dark", "Dark", "moon"), ("system", "As the system", "monitor"))


class ShortcutsPage(Page):
    """Every key, by group, in two columns."""

    def __init__(self, specs: Sequence[ActionSpec] = ACTIONS, parent: QWidget | None = None) -> None:
        """Make the page from the actions there are."""
        super().__init__("Keyboard shortcuts", parent)
        self.setObjectName("shortcutsPage")
        self._specs = tuple(specs)
        grid = QGridLayout()
        grid.setHorizontalSpacing(40)
        grid.setVerticalSpacing(20)
        for position, name in enumerate(self._groups()):
            grid.addWidget(self._group(name), position // 2, position % 2, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.box.addSpacing(4)
        self.box.addLayout(grid)
        self.box.addStretch(1)

    def _groups(self) -> list[MenuName]:
        return [name for name in MenuName if any(spec.menu is name for spec in self._specs)]

    def _group(self, name: MenuName) -> QWidget:
        group = QWidget(self.column)
        box = QVBoxLayout(group)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(label(name.value, "heading", group))
        box.addWidget(Hairline(group))
        for spec in self._specs:
            if spec.menu is name and spec.shortcuts:
                keys = [shown_keys(keys) for keys in spec.shortcuts if keys != "Ctrl+="]
                box.addLayout(self._row(spec.text, keys, group))
        for menu, text, keys_text in FIXED_KEYS:
            if menu is name:
                box.addLayout(self._row(text, keys_text.split(", "), group))
        return group

    @staticmethod
    def _row(text: str, keys: list[str], parent: QWidget) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(label(text, "", parent))
        row.addStretch(1)
        for one in keys:
            row.addWidget(KeyCap(one, parent))
        return row


class SettingsPage(Page):
    """Theme, sizes, knowledge bases.

    Signals:
        changed(object): the new `Settings`.
        add_requested(): a folder shall be added.
        repository_requested(): a Git repository shall be added.
        removal_requested(str): this knowledge base shall be taken out.
    """

    changed = Signal(object)
    add_requested = Signal()
    repository_requested = Signal()
    removal_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Make the page; `show_workspace` fills it."""
        super().__init__("Settings", parent)
        self.setObjectName("settingsPage")
        self._settings = Settings()
        self._is_showing = False
        self.box.addSpacing(4)
        self.box.addWidget(self._build_appearance())
        self.box.addWidget(self._build_search())
        self.box.addWidget(self._build_sync())
        self.box.addWidget(self._build_contributing())
        self.box.addWidget(self._build_records())
        self._bases_card, self._bases_box = self._card("Knowledge bases")
        self.box.addWidget(self._bases_card)
        self._about = label("", "secondary", self.column, wrap=True)
        self._about.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.box.addSpacing(4)
        self.box.addWidget(self._about)
        self.box.addStretch(1)

    def _card(self, title: str) -> tuple[QFrame, QVBoxLayout]:
        card = QFrame(self.column)
        card.setProperty("surface", "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(20, 16, 20, 16)
        box.setSpacing(10)
        box.addWidget(label(title, "title", card))
        return card, box

    def _build_appearance(self) -> QWidget:
        card, box = self._card("Appearance")
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(label("Theme", "", card))
        row.addStretch(1)
        self._theme_group = QButtonGroup(self)
        for value, text, icon in _THEMES:
            button = text_button(text, "tab", icon, card)
            button.setCheckable(True)
            button.setObjectName(f"theme:{value}")
            button.setAccessibleName(f"Theme: {text.lower()}")
            self._theme_group.addButton(button)
            row.addWidget(button)
        self._theme_group.buttonClicked.connect(self._on_theme_clicked)
        box.addLayout(row)
        self._zoom = self._number("Text size of entries", card, box, low=60, high=240, step=10, suffix=" %")
        return card

    def _build_search(self) -> QWidget:
        card, box = self._card("Search")
        self._limit = self._number("Most entries listed for one query", card, box, low=1, high=200, step=10)
        return card

    def _build_sync(self) -> QWidget:
        card, box = self._card("Sync")
        self._sync = QCheckBox("Bring knowledge bases from Git up to date by themselves", card)
        self._sync.toggled.connect(self._on_sync_toggled)
        box.addWidget(self._sync)
        self._sync_minutes = self._number(
            "Pause between two syncs", card, box, low=1, high=1440, step=5, suffix=" min"
        )
        return card

    def _build_contributing(self) -> QWidget:
        card, box = self._card("Contributing")
        self._name = self._text("Your name on proposals", "as Git is configured", card, box)
        self._email = self._text("Your e-mail on proposals", "as Git is configured", card, box)
        self._customers = self._text("Customers' names that may never be shared", "one, another", card, box)
        self._customers.setToolTip("They stay on this machine; a proposal that holds one is stopped")
        self._shares = QCheckBox("Tell the team when an entry worked (Y)", card)
        self._shares.toggled.connect(self._on_shares_toggled)
        box.addWidget(self._shares)
        return card

    def _build_records(self) -> QWidget:
        card, box = self._card("Incident records")
        self._author = self._text("Your handle or mail address", "your login name", card, box)
        self._remote = self._text("Repository they are exchanged with", "none: they stay here", card, box)
        self._folder = self._text("Folder of that repository", "its top, or ops/records", card, box)
        for field, name in (
            (self._author, "author"),
            (self._remote, "records_remote"),
            (self._folder, "records_folder"),
        ):
            field.setObjectName(f"setting:{name}")
            field.editingFinished.connect(self._on_records_edited)
        note = "They are exchanged only when you sync them: conformance page, or kb incident sync."
        box.addWidget(label(note, "meta", card, wrap=True))
        return card

    def _on_records_edited(self) -> None:
        if self._is_showing:
            return
        folder = self._folder.text().strip().strip("/")
        is_usable = not folder or is_folder_name(folder)
        set_property(self._folder, "invalid", "false" if is_usable else "true")
        self._folder.setToolTip("" if is_usable else "Write a path inside a repository, such as ops/records")
        changed = replace(
            self._settings,
            author=self._author.text().strip(),
            records_remote=self._remote.text().strip(),
            records_folder=folder if is_usable else self._settings.records_folder,
        )
        if changed != self._settings:
            self._change(changed)

    def _text(self, text: str, hint: str, card: QWidget, box: QVBoxLayout) -> QLineEdit:
        row = QHBoxLayout()
        row.addWidget(label(text, "", card))
        row.addStretch(1)
        field = QLineEdit(card)
        field.setPlaceholderText(hint)
        field.setFixedWidth(280)
        field.setAccessibleName(text)
        field.editingFinished.connect(self._on_text_changed)
        row.addWidget(field)
        box.addLayout(row)
        return field

    def _on_text_changed(self) -> None:
        names = tuple(name.strip() for name in self._customers.text().split(",") if name.strip())
        changed = replace(
            self._settings,
            contributor_name=self._name.text().strip(),
            contributor_email=self._email.text().strip(),
            customer_names=names,
        )
        if not self._is_showing and changed != self._settings:
            self._settings = changed
            self.changed.emit(changed)

    def _on_shares_toggled(self, is_on: bool) -> None:  # noqa: FBT001 - the signal's argument
        if not self._is_showing:
            self._settings = replace(self._settings, shares_use="yes" if is_on else "no")
            self.changed.emit(self._settings)

    def _number(
        self, text: str, card: QWidget, box: QVBoxLayout, *, low: int, high: int, step: int, suffix: str = ""
    ) -> QSpinBox:
        row = QHBoxLayout()
        row.addWidget(label(text, "", card))
        row.addStretch(1)
        field = QSpinBox(card)
        field.setRange(low, high)
        field.setSingleStep(step)
        field.setSuffix(suffix)
        field.setFixedWidth(110)
        field.setAccessibleName(text)
        field.lineEdit().setAccessibleName(text)
        field.setKeyboardTracking(False)
        field.valueChanged.connect(self._on_number_changed)
        row.addWidget(field)
        box.addLayout(row)
        return field

    def show_workspace(self, workspace: Workspace) -> None:
        """Show the present choices."""
        self._settings = workspace.settings
        self._is_showing = True
        for button in self._theme_group.buttons():
            button.setChecked(button.objectName() == f"theme:{workspace.settings.theme}")
        self._zoom.setValue(workspace.settings.zoom_percent)
        self._limit.setValue(workspace.settings.results_limit)
        self._sync.setChecked(workspace.settings.sync)
        self._sync_minutes.setValue(workspace.settings.sync_minutes)
        self._sync_minutes.setEnabled(workspace.settings.sync)
        self._name.setText(workspace.settings.contributor_name)
        self._email.setText(workspace.settings.contributor_email)
        self._customers.setText(", ".join(workspace.settings.customer_names))
        self._shares.setChecked(workspace.settings.shares_use == "yes")
        self._author.setText(workspace.settings.author)
        self._remote.setText(workspace.settings.records_remote)
        self._folder.setText(workspace.settings.records_folder)
        self._is_showing = False
        self._show_bases(workspace)
        folders = workspace.folders
        self._about.setText(
            f"kb_app {__version__}. Settings: {folders.config}. Index (a cache, may be deleted): "
            f"{folders.index}. Log: {folders.logs}."
        )

    def _show_bases(self, workspace: Workspace) -> None:
        while self._bases_box.count() > 1:
            item = self._bases_box.takeAt(1)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        configured = {base.name for base in workspace.settings.knowledge_bases}
        for base in workspace.bases:
            row = self._base_row(base.name, str(base.root), "", is_removable=base.name in configured)
            self._add_role(row, role_of(base, workspace.folders, workspace.settings), base.name)
            self._bases_box.addWidget(row)
        for lost in workspace.unopened:
            row = self._base_row(lost.name, lost.location, lost.title, is_removable=True)
            self._bases_box.addWidget(row)
        add = QWidget(self._bases_card)
        row_box = QHBoxLayout(add)
        row_box.setContentsMargins(0, 4, 0, 0)
        button = text_button("Add a folder…", "", "folder-open", add)
        button.setObjectName("addFolder")
        button.clicked.connect(self.add_requested)
        row_box.addWidget(button)
        repository = text_button("Add a Git repository…", "", "git-branch", add)
        repository.setObjectName("addRepository")
        repository.clicked.connect(self.repository_requested)
        row_box.addWidget(repository)
        row_box.addStretch(1)
        self._bases_box.addWidget(add)

    def _base_row(self, name: str, location: str, problem: str, *, is_removable: bool) -> QWidget:
        row = QWidget(self._bases_card)
        box = QHBoxLayout(row)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        box.addWidget(
            IconLabel("triangle-alert" if problem else "library", "danger" if problem else "text2", 16, row)
        )
        box.addWidget(label(name, "heading", row))
        place = ElidedLabel(problem or location, row)
        place.setProperty("textstyle", "secondary")
        box.addWidget(place, 1)
        if is_removable:
            remove = IconButton("x", f"Remove {name} from the list; the folder stays", row, size=14)
            remove.clicked.connect(lambda: self.removal_requested.emit(name))
            box.addWidget(remove)
        return row

    def _add_role(self, row: QWidget, role: LayerRole, name: str) -> None:
        """Say what can be done with a knowledge base; a folder can be chosen for the user's own copies."""
        box = row.layout()
        assert isinstance(box, QHBoxLayout)
        chip = Chip(ROLE_WORDS[role], "accent" if role is LayerRole.OVERLAY else "muted", row)
        box.insertWidget(3, chip)
        configured = any(base.name == name for base in self._settings.knowledge_bases)
        if role is LayerRole.READ_ONLY and configured:
            choose = IconButton("layers", f"Keep my own copies in {name}", row, size=14)
            choose.clicked.connect(lambda: self._change(replace(self._settings, overlay=name)))
            box.insertWidget(4, choose)

    def _on_theme_clicked(self) -> None:
        checked = self._theme_group.checkedButton()
        if checked is not None:
            self._change(replace(self._settings, theme=checked.objectName().removeprefix("theme:")))

    def _on_number_changed(self) -> None:
        if not self._is_showing:
            self._change(
                replace(
                    self._settings,
                    zoom_percent=self._zoom.value(),
                    results_limit=self._limit.value(),
                    sync_minutes=self._sync_minutes.value(),
                )
            )

    def _on_sync_toggled(self, is_on: bool) -> None:  # noqa: FBT001 - the signal's argument
        self._sync_minutes.setEnabled(is_on)
        if not self._is_showing:
            self._change(replace(self._settings, sync=is_on))

    def _change(self, settings: Settings) -> None:
        self._settings = settings
        self.changed.emit(settings)
