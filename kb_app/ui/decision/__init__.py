"""The decision panel: five questions, live advice, and what is owed."""
