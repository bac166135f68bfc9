"""Writing and correcting entries: the editor, the propose sheet, drafts and proposals, quick flags."""
