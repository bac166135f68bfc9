"""The timeline of an incident: a picture over time, the list of its events, what can be done with both.

``state``     what is shown, in words: rows, levels, spans (no Qt)
``geometry``  where it stands in the picture (no Qt)
``picture``   painting it
``events``    the list
``panel``     the page
``sheets``    correcting an event, writing a note, handing over
``feature``   how it joins the window
"""
