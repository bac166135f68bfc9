from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from kb_app.ui.common.actions import ACTIONS, ActionId, ActionTable, MenuName, When, shown_keys
from kb_app.ui.common.icons import has_icon
from kb_app.ui.common.theme import Theme
from kb_app.ui.settings_page.panel import ShortcutsPage


@pytest.fixture
def table(qtbot: QtBot) -> Iterator[ActionTable]:
    Theme.current()
    window = QWidget()
    qtbot.addWidget(window)
    yield ActionTable(window, {action: lambda: None for action in ActionId})  # noqa: PT022 - keeps the window


def test_every_action_stands_in_the_table_once() -> None:
    assert Counter(spec.id for spec in ACTIONS) == Counter(ActionId)


def test_no_two_actions_share_a_key() -> None:
    keys = Counter(QKeySequence(keys).toString() for spec in ACTIONS for keys in spec.shortcuts)
    assert [key for key, count in keys.items() if count > 1] == []


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.id.value)
def test_every_action_has_words_a_valid_key_and_an_icon_that_exists(spec) -> None:
    assert spec.text
    assert all(QKeySequence(keys).toString() for keys in spec.shortcuts)
    assert not spec.icon or has_icon(spec.icon)


def test_the_shortcuts_page_names_every_key(qtbot: QtBot) -> None:
    Theme.current()
    page = ShortcutsPage()
    qtbot.addWidget(page)
    texts = {label.text() for label in page.findChildren(QLabel)}
    for spec in ACTIONS:
        if spec.shortcuts:
            assert spec.text in texts
            assert shown_keys(spec.shortcuts[0]) in texts


def test_the_menu_holds_every_action_in_its_group(table: ActionTable) -> None:
    menu = QMenu()
    table.fill_menu(menu)
    groups = {action.text(): action.menu() for action in menu.actions()}
    assert list(groups) == [name.value for name in MenuName]
    texts = [action.text() for group in groups.values() for action in group.actions()]
    assert sorted(texts) == sorted(spec.text for spec in ACTIONS)


def test_only_what_is_possible_is_enabled(table: ActionTable) -> None:
    table.update_enabled(())
    assert table[ActionId.FOCUS_SEARCH].isEnabled()
    assert not table[ActionId.STAR].isEnabled()
    table.update_enabled({When.ENTRY_OPEN})
    assert table[ActionId.STAR].isEnabled()
    assert not table[ActionId.COPY_COMMAND].isEnabled()
