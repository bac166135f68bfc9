"""Everything the user can do by key or menu, as one table; menus and the shortcuts page are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from kb_app.ui.common.icons import bind_icon


class ActionId(StrEnum):
    """Names of the actions; also the object names of their `QAction`."""

    FOCUS_SEARCH = "focus-search"
    SEARCH_CLIPBOARD = "search-clipboard"
    FILTERS = "filters"
    CLEAR_FILTERS = "clear-filters"
    NEXT_RESULT = "next-result"
    PREVIOUS_RESULT = "previous-result"
    BACK = "back"
    FORWARD = "forward"
    STAR = "star"
    COPY_PATH = "copy-path"
    FIND_IN_PAGE = "find-in-page"
    OUTLINE = "outline"
    ZOOM_IN = "zoom-in"
    ZOOM_OUT = "zoom-out"
    ZOOM_RESET = "zoom-reset"
    MITIGATE = "mitigate"
    FIX_FORWARD = "fix-forward"
    COPY_COMMAND = "copy-command"
    TICK_STEP = "tick-step"
    RESET_STEPS = "reset-steps"
    DECIDE = "decide"
    TOGGLE_STEPS = "toggle-steps"
    NEXT_PANE = "next-pane"
    PREVIOUS_PANE = "previous-pane"
    TOGGLE_THEME = "toggle-theme"
    ADD_FOLDER = "add-folder"
    REINDEX = "reindex"
    CANCEL_INDEXING = "cancel-indexing"
    SETTINGS = "settings"
    SHORTCUTS = "shortcuts"
    QUIT = "quit"
    SAVE_SEARCH = "save-search"
    EXPLAIN_SEARCH = "explain-search"
    SHOW_PASTE = "show-paste"
    RELATED = "related"
    EDIT_ENTRY = "edit-entry"
    NEW_ENTRY = "new-entry"
    FLAG_ENTRY = "flag-entry"
    ENTRY_WORKED = "entry-worked"
    ENTRY_HISTORY = "entry-history"
    CUSTOMER_TEXT = "customer-text"
    DUTIES = "duties"
    TIMELINE = "timeline"
    INCIDENT = "incident"
    LOG_DEPLOYMENT = "log-deployment"
    MARK_MITIGATED = "mark-mitigated"
    MARK_FIXED = "mark-fixed"
    LINK_TICKET = "link-ticket"
    NOTE = "note"
    EXPORT = "export"
    CLOSE_INCIDENT = "close-incident"
    CONFORMANCE = "conformance"
    DRILL = "drill"
    PROPOSALS = "proposals"
    SYNC = "sync"
    ADD_REPOSITORY = "add-repository"


class MenuName(StrEnum):
    """Groups of the menu and of the shortcuts page, in this order."""

    SEARCH = "Search"
    ENTRY = "Entry"
    STEPS = "Steps"
    INCIDENT = "Incident"
    CONTRIBUTE = "Contribute"
    VIEW = "View"
    KNOWLEDGE = "Knowledge bases"
    PROGRAM = "Program"


class When(StrEnum):
    """What has to be true for an action to be possible."""

    ALWAYS = "always"
    ENTRY_OPEN = "entry-open"
    STEPS_SHOWN = "steps-shown"
    RESULTS_SHOWN = "results-shown"
    CAN_GO_BACK = "can-go-back"
    CAN_GO_FORWARD = "can-go-forward"
    INDEXING = "indexing"
    FILTERED = "filtered"
    QUERY_TYPED = "query-typed"
    QUERY_PASTED = "query-pasted"
    RELATED_SHOWN = "related-shown"
    INCIDENT_OPEN = "incident-open"
    HAS_REMOTE = "has-remote"


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        id: its name.
        text: what it does, as a command.
        menu: where it stands.
        shortcuts: key sequences in Qt's portable text; the first is shown.
        icon: icon name or empty.
        when: what has to be true.
        is_key_local: the keys work only while the focus is in the panel concerned, which handles them itself.
    """

    id: ActionId
    text: str
    menu: MenuName
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    when: When = When.ALWAYS
    is_key_local: bool = False


_S, _E, _T, _I, _C, _V, _K, _P = (
    MenuName.SEARCH,
    MenuName.ENTRY,
    MenuName.STEPS,
    MenuName.INCIDENT,
    MenuName.CONTRIBUTE,
    MenuName.VIEW,
    MenuName.KNOWLEDGE,
    MenuName.PROGRAM,
)
_A = ActionId

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(_A.FOCUS_SEARCH, "Search", _S, ("Ctrl+K", "/"), "search"),
    ActionSpec(_A.SEARCH_CLIPBOARD, "Search for the clipboard", _S, ("Ctrl+Shift+V",), "clipboard-paste"),
    ActionSpec(_A.NEXT_RESULT, "Next result", _S, ("Alt+Down",), "arrow-down", When.RESULTS_SHOWN),
    ActionSpec(_A.PREVIOUS_RESULT, "Previous result", _S, ("Alt+Up",), "arrow-up", When.RESULTS_SHOWN),
    ActionSpec(_A.FILTERS, "Filters", _S, ("Ctrl+Shift+F",), "funnel"),
    ActionSpec(_A.CLEAR_FILTERS, "Clear the filters", _S, ("Ctrl+Shift+X",), "list-x", When.FILTERED),
    ActionSpec(_A.SAVE_SEARCH, "Save this search", _S, ("Ctrl+Shift+B",), "bookmark", When.QUERY_TYPED),
    ActionSpec(_A.EXPLAIN_SEARCH, "Explain the search", _S, ("Ctrl+Shift+E",), "info", When.QUERY_TYPED),
    ActionSpec(_A.SHOW_PASTE, "The pasted text", _S, ("Ctrl+Shift+K",), "clipboard-paste", When.QUERY_PASTED),
    ActionSpec(_A.BACK, "Back", _E, ("Alt+Left",), "arrow-left", When.CAN_GO_BACK),
    ActionSpec(_A.FORWARD, "Forward", _E, ("Alt+Right",), "arrow-right", When.CAN_GO_FORWARD),
    ActionSpec(_A.FIND_IN_PAGE, "Find in the entry", _E, ("Ctrl+F",), "text-search", When.ENTRY_OPEN),
    ActionSpec(_A.OUTLINE, "Outline", _E, ("Ctrl+Shift+O",), "list-tree", When.ENTRY_OPEN),
    ActionSpec(_A.STAR, "Star or unstar", _E, ("Ctrl+D",), "star", When.ENTRY_OPEN),
    ActionSpec(_A.COPY_PATH, "Copy the entry's path", _E, ("Ctrl+Shift+C",), "link", When.ENTRY_OPEN),
    ActionSpec(
        _A.CUSTOMER_TEXT, "Copy the customer-safe text", _E, ("Shift+C",), "clipboard-check", When.ENTRY_OPEN
    ),
    ActionSpec(_A.RELATED, "Related entries", _E, ("Ctrl+Shift+L",), "workflow", When.RELATED_SHOWN),
    ActionSpec(_A.MITIGATE, "Go to Mitigate", _T, ("Ctrl+1",), "shield-alert", When.STEPS_SHOWN),
    ActionSpec(_A.FIX_FORWARD, "Go to Fix forward", _T, ("Ctrl+2",), "wrench", When.STEPS_SHOWN),
    ActionSpec(_A.COPY_COMMAND, "Copy the current command", _T, ("C",), "copy", When.STEPS_SHOWN),
    ActionSpec(
        _A.TICK_STEP,
        "Tick the current step",
        _T,
        ("Space",),
        "square-check",
        When.STEPS_SHOWN,
        is_key_local=True,
    ),
    ActionSpec(_A.DECIDE, "Decide: mitigate or fix forward", _T, ("D",), "scale", When.STEPS_SHOWN),
    ActionSpec(_A.RESET_STEPS, "Untick all steps", _T, (), "rotate-ccw", When.STEPS_SHOWN),
    ActionSpec(_A.DUTIES, "Home: what is owed", _I, ("Ctrl+H",), "list-checks"),
    ActionSpec(_A.INCIDENT, "The incident: open one or show it", _I, ("I",), "siren"),
    ActionSpec(_A.TIMELINE, "Timeline of the incident", _I, ("Ctrl+T",), "activity"),
    ActionSpec(_A.LOG_DEPLOYMENT, "Log a deployment", _I, ("P",), "rocket", When.INCIDENT_OPEN),
    ActionSpec(_A.MARK_MITIGATED, "Mitigated", _I, ("M",), "shield-check", When.INCIDENT_OPEN),
    ActionSpec(_A.MARK_FIXED, "Fixed", _I, ("X",), "circle-check", When.INCIDENT_OPEN),
    ActionSpec(_A.LINK_TICKET, "Link a ticket", _I, ("L",), "link"),
    ActionSpec(_A.NOTE, "Write a note", _I, ("Ctrl+Shift+N",), "message-square", When.INCIDENT_OPEN),
    ActionSpec(_A.EXPORT, "Copy for the ticket…", _I, ("T",), "clipboard", When.INCIDENT_OPEN),
    ActionSpec(_A.CLOSE_INCIDENT, "Close the incident", _I, (), "archive", When.INCIDENT_OPEN),
    ActionSpec(_A.CONFORMANCE, "Conformance report", _I, ("Ctrl+Shift+R",), "chart-column"),
    ActionSpec(_A.DRILL, "Drill: mitigate or fix?", _I, ("Ctrl+Shift+G",), "target"),
    ActionSpec(_A.EDIT_ENTRY, "Edit this entry", _C, ("E", "Ctrl+E"), "pencil", When.ENTRY_OPEN),
    ActionSpec(_A.NEW_ENTRY, "New entry", _C, ("N", "Ctrl+N"), "file-plus"),
    ActionSpec(_A.FLAG_ENTRY, "Flag something wrong", _C, ("F",), "flag", When.ENTRY_OPEN),
    ActionSpec(_A.ENTRY_WORKED, "It worked", _C, ("Y",), "thumbs-up", When.ENTRY_OPEN),
    ActionSpec(_A.ENTRY_HISTORY, "History of this entry", _C, ("H",), "history", When.ENTRY_OPEN),
    ActionSpec(_A.PROPOSALS, "My drafts and proposals", _C, ("Ctrl+Shift+P",), "git-pull-request"),
    ActionSpec(_A.NEXT_PANE, "Next pane", _V, ("F6",), "panel-right"),
    ActionSpec(_A.PREVIOUS_PANE, "Previous pane", _V, ("Shift+F6",), "panel-left"),
    ActionSpec(_A.TOGGLE_STEPS, "Show or hide the steps", _V, ("F9",), "panel-right", When.ENTRY_OPEN),
    ActionSpec(_A.TOGGLE_THEME, "Light or dark", _V, ("Ctrl+Shift+D",), "moon"),
    ActionSpec(_A.ZOOM_IN, "Larger text", _V, ("Ctrl++", "Ctrl+="), "zoom-in"),
    ActionSpec(_A.ZOOM_OUT, "Smaller text", _V, ("Ctrl+-",), "zoom-out"),
    ActionSpec(_A.ZOOM_RESET, "Normal text size", _V, ("Ctrl+0",), ""),
    ActionSpec(_A.ADD_FOLDER, "Add a folder…", _K, ("Ctrl+O",), "folder-open"),
    ActionSpec(_A.ADD_REPOSITORY, "Add a Git repository…", _K, ("Ctrl+Shift+A",), "git-branch"),
    ActionSpec(_A.SYNC, "Sync now", _K, ("Ctrl+R",), "refresh-cw", When.HAS_REMOTE),
    ActionSpec(_A.REINDEX, "Look for changes", _K, ("F5",), "refresh-cw"),
    ActionSpec(_A.CANCEL_INDEXING, "Stop indexing", _K, (), "x", When.INDEXING),
    ActionSpec(_A.SETTINGS, "Settings", _P, ("Ctrl+,",), "settings"),
    ActionSpec(_A.SHORTCUTS, "Keyboard shortcuts", _P, ("F1", "?"), "keyboard"),
    ActionSpec(_A.QUIT, "Quit", _P, ("Ctrl+Q",), "log-out"),
)

FIXED_KEYS: tuple[tuple[MenuName, str, str], ...] = (
    (MenuName.CONTRIBUTE, "In the editor: propose, save the draft now", "Ctrl+Enter, Ctrl+S"),
    (MenuName.CONTRIBUTE, "In the editor: next remark, repair it", "F8, Ctrl+."),
    (MenuName.CONTRIBUTE, "In the editor: insert mitigation, fix, step", "Alt+M, Alt+F, Alt+S"),
    (MenuName.CONTRIBUTE, "In the editor: insert attributes, code, placeholder", "Alt+A, Alt+C, Alt+P"),
    (MenuName.CONTRIBUTE, "In the editor: complete; leave, the draft is kept", "Ctrl+Space, Esc"),
    (MenuName.SEARCH, "Choose a result while typing", "Down, Up"),
    (MenuName.SEARCH, "Open the chosen result", "Enter"),
    (MenuName.SEARCH, "Clear the search", "Esc"),
    (MenuName.SEARCH, "Complete a field or a value", "Tab"),
    (MenuName.SEARCH, "Offer all fields", "Ctrl+Space"),
    (MenuName.SEARCH, "Show or hide near-duplicates in the results", "Right, Left"),
    (MenuName.SEARCH, "Open a saved search", "Alt+1 to Alt+9"),
    (MenuName.STEPS, "Move between steps and columns", "Arrow keys"),
    (MenuName.STEPS, "Tick a step that cannot be taken back", "Hold Space, Enter"),
    (MenuName.STEPS, "Skip the step", "S"),
    (MenuName.STEPS, "The step did not work", "U"),
    (MenuName.STEPS, "Start the wait it asks for", "W"),
    (MenuName.STEPS, "Take the last mark of the step back", "Z"),
)
"""Keys that panels handle themselves, for the shortcuts page."""


def shown_keys(shortcut: str) -> str:
    """Return a key sequence as this platform writes it."""
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)


def shortcut_of(action_id: ActionId) -> str:
    """Return the first key sequence of an action as this platform writes it, or an empty text."""
    spec = next(spec for spec in ACTIONS if spec.id is action_id)
    return shown_keys(spec.shortcuts[0]) if spec.shortcuts else ""


class ActionTable(QObject):
    """The table's `QAction` objects for one window."""

    def __init__(self, window: QWidget, handlers: Mapping[ActionId, Callable[[], None]]) -> None:
        """Make the actions and let ``window`` listen to their keys.

        Args:
            window: owner; its focus gives the keys their meaning.
            handlers: what each action does; an action without one is left out.
        """
        super().__init__(window)
        self._actions: dict[ActionId, QAction] = {}
        self.specs = tuple(spec for spec in ACTIONS if spec.id in handlers)
        for spec in self.specs:
            action = QAction(spec.text, self)
            action.setObjectName(spec.id.value)
            if spec.shortcuts and not spec.is_key_local:
                action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
                action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            action.triggered.connect(handlers[spec.id])
            window.addAction(action)
            self._actions[spec.id] = action

    def __getitem__(self, action_id: ActionId) -> QAction:
        return self._actions[action_id]

    def update_enabled(self, facts: Iterable[When]) -> None:
        """Enable what is possible now; ``facts`` are the conditions that hold."""
        true = {When.ALWAYS, *facts}
        for spec in self.specs:
            self._actions[spec.id].setEnabled(spec.when in true)

    def bind_icons(self) -> None:
        """Give the actions their icons: when a menu is about to show, not at start."""
        for spec in self.specs:
            action = self._actions[spec.id]
            if spec.icon and action.icon().isNull():
                bind_icon(action, spec.icon, "text2", 16)

    def fill_menu(self, menu: QMenu) -> None:
        """Add every action to ``menu``, one submenu for each group."""
        menu.aboutToShow.connect(self.bind_icons)
        for name in MenuName:
            actions = [self._actions[spec.id] for spec in self.specs if spec.menu is name]
            if actions:
                menu.addMenu(name.value).addActions(actions)
