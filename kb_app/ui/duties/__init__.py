"""What is owed: the home page, the review of a change, follow-ups, closing an incident.

``state``      rows, words and order (no Qt)
``rows``       the keyboard list
``panel``      the home page
``review``     the page on which a change is reviewed
``closing``    the page on which an incident is closed
``sheets``     follow-ups: naming an owner, closing one
``feature``    how all of it joins the window
"""
