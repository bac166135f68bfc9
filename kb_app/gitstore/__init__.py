"""Git without Git words: clones, fast-forward, proposals, conflicts by section, history.

=============  ===========================================================================
``store``      the door: everything opened together, one exchange with a remote
``names``      addresses, branches, paths and messages: what may reach git at all
``verbs``      the closed table of what git may be asked
``causes``     why git stopped, as one plain sentence
``process``    one program with a deadline, capped output, and a group that can be killed
``runner``     the one place that starts git
``locks``      one writer per clone; lock files that a killed git left
``trees``      what a commit would unpack, measured before; removing folders of any depth
``clones``     clones of our own, and the record of them
``sync``       bringing a clone up to date, forward only
``health``     where a clone stands, whether it is whole, keeping it small
``leaks``      secrets, customers' names and merge marks, caught before a commit
``hosts``      how a proposal reaches its reviewers on each sort of host
``commits``    one commit in a worktree of its own
``proposals``  the queue: drafted, committed, sent once, followed to the end
``words``      differences between two texts, by words (pure)
``conflicts``  two versions of an entry brought together by sections (pure)
``history``    who changed an entry, when and why; its text at any time; blame
=============  ===========================================================================

Every outcome is a value with one sentence and a next step; a conflict, a missing network or a forced push is
an outcome, not an exception. Nothing here runs git inside a repository that this program did not clone.
"""
