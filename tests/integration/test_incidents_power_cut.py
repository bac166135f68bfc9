"""Power fails right after an event was acknowledged: the record is looked at on a copy of the disk as it was.

The disk is a small image mounted through a loop device; copying the image without unmounting or syncing it is
what a power cut leaves behind. Needs root. ``KB_POWER_CUT_DELAYS`` sets when to cut (seconds, ``0``).
"""

import contextlib
import os
import shutil
import subprocess

import pytest

from kb_app.incidents.events import EventType
from kb_app.incidents.folders import JournalMaker, open_record, records
from kb_app.incidents.journal import utc_now
from kb_app.incidents.timeline import read_devices
from kb_app.incidents.verify import is_chain_intact, verify

DELAYS = [float(text) for text in os.environ.get("KB_POWER_CUT_DELAYS", "0").split(",")]
TOOLS = ("mkfs.ext4", "mount", "umount")
IMAGE_BYTES = 16 * 1024 * 1024


@contextlib.contextmanager
def mounted(image, folder):
    folder.mkdir()
    done = subprocess.run(["mount", "-o", "loop", str(image), str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this system mounts no image: {done.stderr.decode(errors='replace').strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or not all(map(shutil.which, TOOLS)),
    reason="mounting an image needs root and the tools for it",
)
@pytest.mark.parametrize("delay_s", DELAYS)
def test_every_acknowledged_event_survives_a_power_cut(tmp_path, delay_s):
    image, copy = tmp_path / "disk.img", tmp_path / "after.img"
    with image.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    with mounted(image, tmp_path / "disk") as disk:
        maker = JournalMaker("a1", "ana", utc_now)
        place = open_record(disk, maker, {"title": "the lights went out"})
        log = maker(place.folder)
        written = [log.append(EventType.NOTE, {"text": f"note {n}"}) for n in range(5)]
        if delay_s:
            subprocess.run(["sleep", str(delay_s)], check=True)
        shutil.copyfile(image, copy)
    with mounted(copy, tmp_path / "after") as after:
        (found,) = records(after)
        assert found.id == place.id
        assert is_chain_intact(verify(found.folder))
        (device,) = read_devices(found.folder)
        assert list(device.events[1:]) == written
        assert (found.folder / "incident.md").stat().st_size > 0
