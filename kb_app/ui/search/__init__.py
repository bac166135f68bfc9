"""The search field and the conversation with the search worker."""
