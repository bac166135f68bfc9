"""The command line ``kb``: one contract for people, scripts and continuous integration.

Exit codes: 0 done, 1 findings or nothing found, 2 usage, 3 environment. With ``--json`` standard output holds
one JSON document and nothing else; progress and errors go to standard error.
"""
