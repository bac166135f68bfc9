"""Getting work out of the window: a text for the ticket, for the customer, a draft to be copied or saved.

``state``    what can be copied and in which forms, in words (no Qt)
``sheet``    choosing and copying, with a preview
``preview``  a page with one text: copy it, save it
``feature``  how it joins the window
"""
