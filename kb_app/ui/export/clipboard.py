"""Texts on the clipboard: as text, and as rich text where a ticket's field can take it."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication

from kb_app.incidents.markup import Form


def put_on_clipboard(text: str, form: Form) -> None:
    """Copy a text; HTML goes as ``text/html`` too, so that a paste into a rich field renders."""
    data = QMimeData()
    data.setText(text)
    if form is Form.HTML:
        data.setHtml(text)
    QGuiApplication.clipboard().setMimeData(data)
