"""Two processes of one device write to one record at the same time."""

import subprocess
import sys
from pathlib import Path

from kb_app.incidents.timeline import read_devices
from kb_app.incidents.verify import verify

ID = "2025-06-01-checkout-down-7f3a"
EACH = 100

CHILD = """
import sys
from pathlib import Path
from kb_app.incidents.events import EventType
from kb_app.incidents.journal import Journal

log = Journal(Path(sys.argv[1]), "a1b2", sys.argv[2])
for n in range(int(sys.argv[3])):
    log.append(EventType.NOTE, {"text": f"{sys.argv[2]} {n}"})
"""


def test_no_event_of_two_processes_is_lost_and_the_chain_holds(tmp_path):
    folder = tmp_path / ID
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), name, str(EACH)], cwd=Path(__file__).parents[2]
        )
        for name in ("ana", "ben")
    ]
    assert [child.wait(timeout=100) for child in children] == [0, 0]
    (device,) = read_devices(folder)
    assert [event.seq for event in device.events] == list(range(1, 2 * EACH + 1))
    for name in ("ana", "ben"):
        texts = [event.text("text") for event in device.events if event.by == name]
        assert texts == [f"{name} {n}" for n in range(EACH)]
    assert verify(folder) == ()
