"""The past of one entry: its versions, what each changed, whose line is whose."""
