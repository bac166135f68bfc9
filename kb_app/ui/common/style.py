"""The style sheet of the whole application, made from the colours.

Variants are dynamic properties, set before the widget is shown (or followed by ``restyle``):

====================  ===========================================================================
``role="primary"``    the one filled button of a view
``role="ghost"``      a button without frame: text and icon only
``role="danger"``     a button that destroys
``role="icon"``       a square tool button with an icon alone
``role="link"``       a button that reads like a link
``role="tab"``        a checkable button in a row of choices
``tone=…``            ``mitigate``, ``fix``, ``danger``, ``info``, ``accent`` or ``muted``: chips, badges,
                      bars, cards, labels
``surface="chrome"``  the ground of a panel; ``surface`` for white, ``card`` for a framed card, ``bar`` for a
                      header with a hairline below, ``popup`` for a floating panel
``textstyle=…``       a label: ``title`` (15/600), ``heading`` (13/600), ``secondary`` (12), ``meta`` (11),
                      ``mono``
====================  ===========================================================================
"""

from __future__ import annotations

import string

from PySide6.QtCore import QDir
from PySide6.QtWidgets import QWidget

from kb_app.resources import resource
from kb_app.ui.common.fonts import MONO_FAMILY
from kb_app.ui.common.tokens import Tokens

CONTROL_IMAGES = "kbcontrols"
"""Qt search path under which the style sheet finds check marks and arrows."""


def register_control_images() -> None:
    """Tell Qt where the check marks and arrows lie."""
    QDir.setSearchPaths(CONTROL_IMAGES, [str(resource("icons/controls"))])


def restyle(widget: QWidget) -> None:
    """Apply the style sheet again after a dynamic property of ``widget`` changed."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def set_property(widget: QWidget, name: str, value: str) -> None:
    """Set a dynamic property that the style sheet knows, and restyle when it really changed."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        restyle(widget)


def stylesheet(tokens: Tokens) -> str:
    """Return the style sheet for ``tokens``."""
    values = {name: tokens.color(name) for name in _colors(tokens)}
    values["theme"] = tokens.name
    values["images"] = CONTROL_IMAGES
    values["mono"] = MONO_FAMILY
    tones = "".join(_TONE.substitute(values, tone=tone, fg=fg, bg=bg) for tone, fg, bg in _tones(tokens))
    return _SHEET.substitute(values) + tones


def _colors(tokens: Tokens) -> tuple[str, ...]:
    return tuple(name for name in tokens.__slots__ if name != "name")


def _tones(tokens: Tokens) -> tuple[tuple[str, str, str], ...]:
    return (
        ("mitigate", tokens.mitigate, tokens.mitigate_bg),
        ("fix", tokens.fix, tokens.fix_bg),
        ("danger", tokens.danger, tokens.danger_bg),
        ("info", tokens.info, tokens.info_bg),
        ("accent", tokens.accent, tokens.selection),
        ("muted", tokens.text2, tokens.hover),
    )


_TONE = string.Template("""
QLabel[tone="$tone"] { color: $fg; }
QFrame[chip="true"][tone="$tone"], QLabel[chip="true"][tone="$tone"], QPushButton[chip="true"][tone="$tone"] {
  background: $bg; color: $fg; border: 1px solid $bg; }
QFrame[surface="card"][tone="$tone"] { background: $bg; border: 1px solid $bg; }
QFrame[surface="notice"][tone="$tone"] { background: $bg; border: none; border-left: 3px solid $fg; }
QProgressBar[tone="$tone"]::chunk { background: $fg; }
QPushButton[role="ghost"][tone="$tone"] { color: $fg; }
QPushButton[role="ghost"][tone="$tone"]:hover { background: $bg; }
""")

_SHEET = string.Template("""
* { outline: none; }
QWidget { color: $text; selection-background-color: $accent_fill; selection-color: $on_accent; }
QMainWindow, QDialog { background: $chrome; }
QWidget[surface="chrome"] { background: $chrome; }
QWidget[surface="surface"] { background: $surface; }
QFrame[surface="card"] { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame[surface="card"][current="true"] { border: 1px solid $accent; }
QFrame[surface="card"]:focus { border: 2px solid $accent; }
QFrame[surface="code"] { background: $surface2; border: 1px solid $border; border-radius: 6px; }
QFrame[surface="popup"] { background: $surface; border: 1px solid $border; border-radius: 8px; }
QFrame[surface="notice"] { background: $surface2; border: none; border-left: 3px solid $outline;
  border-radius: 4px; }
QFrame[surface="bar"] { background: $surface; border: none; border-bottom: 1px solid $border; }
QFrame[surface="chromebar"] { background: $chrome; border: none; border-bottom: 1px solid $border; }
QFrame[surface="status"] { background: $surface2; border: none; border-top: 1px solid $border; }
QFrame[hairline="true"] { background: $border; border: none; }

QLabel { background: transparent; }
QLabel[textstyle="display"] { font-size: 20px; font-weight: 600; }
QLabel[textstyle="title"] { font-size: 15px; font-weight: 600; }
QLabel[textstyle="heading"] { font-size: 13px; font-weight: 600; }
QLabel[textstyle="secondary"] { font-size: 12px; color: $text2; }
QLabel[textstyle="meta"] { font-size: 11px; color: $text3; }
QLabel[textstyle="mono"] { font-family: "$mono"; font-size: 12px; }
QLabel:focus { border: 2px solid $accent; border-radius: 4px; }

QFrame[chip="true"], QLabel[chip="true"], QPushButton[chip="true"] {
  background: $hover; color: $text2; border: 1px solid $hover; border-radius: 4px; font-size: 11px;
  font-weight: 500; padding: 1px 6px; min-height: 16px; }
QPushButton[chip="true"] { padding: 1px 7px; min-height: 18px; }
QPushButton[chip="true"]:hover { border-color: $outline; color: $text; }
QPushButton[chip="true"]:checked { background: $selection; color: $accent; border-color: $accent; }
QPushButton[chip="true"]:focus { border: 2px solid $accent; padding: 0px 6px; }
QLabel[keycap="true"] { background: $surface2; color: $text3; border: 1px solid $border; border-radius: 4px;
  font-size: 11px; padding: 1px 6px; }

QPushButton { background: $surface; color: $text; border: 1px solid $outline; border-radius: 6px;
  padding: 5px 12px; min-height: 18px; font-weight: 500; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $border; }
QPushButton:checked { background: $selection; color: $accent; border-color: $accent; }
QPushButton:focus { border: 2px solid $accent; padding: 4px 11px; }
QPushButton:disabled { color: $text3; border-color: $border; background: $surface; }
QPushButton[role="primary"] { background: $accent_fill; color: $on_accent; border: 1px solid $accent_fill;
  font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_fill; border-color: $text; }
QPushButton[role="primary"]:pressed { background: $accent_fill; border: 2px solid $text; padding: 4px 11px; }
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: 4px 11px; }
QPushButton[role="primary"]:disabled { background: $border; color: $text3; border-color: $border; }
QPushButton[role="danger"] { background: $surface; color: $danger; border: 1px solid $danger; }
QPushButton[role="danger"]:hover { background: $danger_bg; }
QPushButton[role="danger"]:focus { border: 2px solid $danger; padding: 4px 11px; }
QPushButton[role="ghost"] { background: transparent; border: 1px solid transparent; color: $text2;
  padding: 5px 8px; }
QPushButton[role="ghost"]:hover { background: $hover; color: $text; }
QPushButton[role="ghost"]:checked { background: $selection; color: $accent; }
QPushButton[role="ghost"]:focus { border: 2px solid $accent; padding: 4px 7px; }
QPushButton[role="ghost"]:disabled { background: transparent; color: $text3; }
QPushButton[arrow="none"]::menu-indicator { image: none; width: 0px; }
QPushButton[role="link"] { background: transparent; border: 1px solid transparent; color: $accent;
  padding: 1px 2px;
  min-height: 16px; text-align: left; border-radius: 4px; }
QPushButton[role="link"]:hover { text-decoration: underline; }
QPushButton[role="link"]:focus { border: 2px solid $accent; padding: 0px 1px; }
QPushButton[role="tab"] { background: transparent; border: 1px solid transparent; color: $text2; }
QPushButton[role="tab"]:hover { background: $hover; color: $text; }
QPushButton[role="tab"]:checked { background: $selection; color: $accent; font-weight: 600; }
QPushButton[role="tab"]:focus { border: 2px solid $accent; padding: 4px 11px; }
QPushButton[role="tab"]:disabled { color: $text3; background: transparent; font-weight: 500; }
QPushButton[role="row"] { background: transparent; border: 1px solid transparent; color: $text2;
  padding: 4px 8px;
  text-align: left; font-weight: 400; }
QPushButton[role="row"]:hover { background: $hover; color: $text; }
QPushButton[role="row"]:checked { background: $selection; color: $accent; font-weight: 600; }
QPushButton[role="row"]:focus { border: 2px solid $accent; padding: 3px 7px; }

QToolButton { background: transparent; color: $text2; border: 1px solid transparent; border-radius: 6px;
  padding: 4px; }
QToolButton:hover { background: $hover; color: $text; }
QToolButton:pressed { background: $border; }
QToolButton:checked { background: $selection; color: $accent; }
QToolButton:focus { border: 2px solid $accent; padding: 3px; }
QToolButton:disabled { color: $text3; background: transparent; }
QToolButton::menu-indicator { image: none; }
QToolButton[role="oncode"] { background: $surface2; border: 1px solid $surface2; padding: 3px;
  border-radius: 6px; }
QToolButton[role="oncode"]:hover { background: $hover; border-color: $border; }
QToolButton[role="oncode"]:focus { border: 2px solid $accent; padding: 2px; }

QLineEdit, QTextEdit[role="input"], QPlainTextEdit, QSpinBox, QDoubleSpinBox, QDateTimeEdit, QComboBox {
  background: $surface; color: $text; border: 1px solid $outline; border-radius: 8px; padding: 5px 8px; }
QLineEdit { min-height: 18px; }
QLineEdit:focus, QTextEdit[role="input"]:focus, QPlainTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus,
QDateTimeEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 4px 7px; }
QLineEdit:disabled, QPlainTextEdit:disabled, QSpinBox:disabled, QComboBox:disabled { color: $text3;
  background: $chrome; border-color: $border; }
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] { border: 1px solid $danger; }
QLineEdit[invalid="true"]:focus { border: 2px solid $danger; }
QLineEdit[role="bare"] { background: transparent; border: none; padding: 0px; }
QLineEdit[role="bare"]:focus { border: none; padding: 0px; }
QFrame[searchbox="true"] { background: $surface; border: 1px solid $outline; border-radius: 8px; }
QFrame[searchbox="true"][focused="true"] { border: 2px solid $accent; }
QPlainTextEdit[role="page"] { font-family: "$mono"; font-size: 12px; border: 2px solid $surface;
  border-radius: 0px; padding: 0px; }
QPlainTextEdit[role="page"]:focus { border: 2px solid $accent; padding: 0px; }
QPlainTextEdit[role="editor"], QPlainTextEdit[role="editor"]:focus { border: none; border-radius: 0px;
  padding: 8px 4px 8px 0px; background: $surface; }
QPlainTextEdit[role="code"] { font-family: "$mono"; font-size: 12px; background: $surface2; }
QTextEdit, QTextBrowser { background: $surface; border: none; }
QTextBrowser:focus { border: none; }
QTextBrowser[page="true"] { border: 2px solid $surface; }
QTextBrowser[page="true"][ring="true"] { border: 2px solid $accent; }
QLabel[statusstrip="true"] { background: $surface2; color: $text2; border: 1px solid $border;
  border-left: none; border-bottom: none; border-top-right-radius: 6px; padding: 3px 10px; font-size: 11px; }

QAbstractSpinBox QLineEdit, QComboBox QLineEdit { background: transparent; border: none; padding: 0px;
  min-height: 0px; }
QAbstractSpinBox { min-height: 18px; }
/* Qt gives the text of a spin box no horizontal padding, whatever is asked for. */
QAbstractSpinBox { qproperty-alignment: AlignCenter; }
QSpinBox, QDoubleSpinBox, QDateTimeEdit { padding: 5px 20px 5px 8px; }
QSpinBox:focus, QDoubleSpinBox:focus, QDateTimeEdit:focus { padding: 4px 19px 4px 7px; }
QAbstractSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right;
  margin: 3px 4px 0px 0px; }
QAbstractSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right;
  margin: 0px 4px 3px 0px; }
QAbstractSpinBox QLineEdit:focus, QComboBox QLineEdit:focus { border: none; padding: 0px; }
QComboBox { padding-right: 24px; min-height: 18px; }
QComboBox:focus { padding-right: 23px; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url($images:$theme/chevron-down.svg); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $border; padding: 4px; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button,
QDateTimeEdit::up-button, QDateTimeEdit::down-button { border: none; width: 18px; background: transparent; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow, QDateTimeEdit::up-arrow {
  image: url($images:$theme/chevron-up.svg); width: 12px; height: 12px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow, QDateTimeEdit::down-arrow {
  image: url($images:$theme/chevron-down.svg); width: 12px; height: 12px; }

QCheckBox, QRadioButton { spacing: 8px; background: transparent; padding: 2px; border: 2px solid transparent;
  border-radius: 6px; }
QCheckBox:focus, QRadioButton:focus { border: 2px solid $accent; }
QCheckBox:disabled, QRadioButton:disabled { color: $text3; }
QCheckBox::indicator, QGroupBox::indicator, QAbstractItemView::indicator { width: 14px; height: 14px;
  border: 1px solid $outline; border-radius: 4px; background: $surface; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:checked, QGroupBox::indicator:checked, QAbstractItemView::indicator:checked {
  background: $accent_fill; border-color: $accent_fill; image: url($images:check.svg); }
QCheckBox::indicator:indeterminate { background: $accent_fill; border-color: $accent_fill;
  image: url($images:minus.svg); }
QCheckBox::indicator:disabled { border-color: $border; background: $chrome; }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $outline; border-radius: 8px;
  background: $surface; }
QRadioButton::indicator:hover { border-color: $accent; }
QRadioButton::indicator:checked { background: $accent_fill; border-color: $accent_fill;
  image: url($images:dot.svg); }

QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0px; border: none; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0px; border: none; }
QScrollBar::handle:vertical { background: $scroll; border-radius: 3px; min-height: 32px; margin: 2px; }
QScrollBar::handle:horizontal { background: $scroll; border-radius: 3px; min-width: 32px; margin: 2px; }
QScrollBar[idle="true"]::handle { background: transparent; }
QScrollBar::handle:hover { background: $outline; }
QScrollBar::handle:pressed { background: $text3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; border: none; background: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: none; }
QAbstractScrollArea::corner { background: transparent; border: none; }

QAbstractItemView { background: $surface; border: none; color: $text; alternate-background-color: $surface2; }
QAbstractItemView::item { padding: 4px 8px; border-radius: 6px; color: $text; border: 2px solid transparent; }
QAbstractItemView::item:hover { background: $hover; }
QAbstractItemView::item:selected { background: $selection; color: $accent; }
QAbstractItemView::item:focus { border: 2px solid $accent; }
QTableView { gridline-color: $border; }
QTableView::item { border-radius: 0px; }
QTreeView::branch { background: transparent; }
QTreeView::branch:has-children:closed { image: url($images:$theme/chevron-right.svg); }
QTreeView::branch:has-children:open { image: url($images:$theme/chevron-down.svg); }
QHeaderView { background: $surface2; border: none; }
QHeaderView::section { background: $surface2; color: $text2; border: none; border-bottom: 1px solid $border;
  padding: 6px 8px; font-weight: 600; font-size: 12px; }

QMenuBar { background: $chrome; border: none; padding: 2px 8px; }
QMenuBar::item { background: transparent; padding: 4px 8px; border-radius: 6px; color: $text2; }
QMenuBar::item:selected { background: $hover; color: $text; }
QMenu { background: $surface; border: 1px solid $border; border-radius: 8px; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 6px; color: $text; background: transparent; }
QMenu::item:selected { background: $selection; color: $accent; }
QMenu::item:disabled { color: $text3; background: transparent; }
QMenu::icon { padding-left: 10px; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::indicator { width: 14px; height: 14px; padding-left: 8px; }
QMenu::indicator:checked { image: url($images:$theme/check.svg); }
QMenu::right-arrow { image: url($images:$theme/chevron-right.svg); width: 14px; height: 14px; }
QToolTip { background: $surface; color: $text; border: 1px solid $outline; padding: 4px 8px;
  font-size: 12px; }

QSplitter::handle { background: $border; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: $accent; }

QTabWidget::pane { border: none; border-top: 1px solid $border; }
QTabBar { background: transparent; border: none; }
QTabBar::tab { background: transparent; color: $text2; padding: 8px 12px; border: none;
  border-bottom: 2px solid transparent; font-weight: 500; }
QTabBar::tab:hover { color: $text; background: $hover; }
QTabBar::tab:selected { color: $accent; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $accent; background: $selection; }
QGroupBox { border: 1px solid $border; border-radius: 8px; margin-top: 20px; padding: 12px; }
QGroupBox::title { subcontrol-origin: margin; left: 0px; color: $text2; font-weight: 600; }

QProgressBar { background: $border; border: none; border-radius: 2px; text-align: center; color: $text2;
  min-height: 4px; max-height: 4px; }
QProgressBar::chunk { background: $accent_fill; border-radius: 2px; }
QSlider::groove:horizontal { background: $border; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: $accent_fill; width: 14px; height: 14px; margin: -5px 0px;
  border-radius: 7px; }
QSlider::handle:horizontal:focus { border: 2px solid $text; }
QStatusBar { background: $chrome; border-top: 1px solid $border; color: $text2; }
QStatusBar::item { border: none; }
QDialogButtonBox { button-layout: 0; }
""")
