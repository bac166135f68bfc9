import datetime as dt
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kb_app.entries.model import EntryCard, Kind, State
from kb_app.search.catalogue_file import CARDS, card_line, load_cards, path_key, write_lines

texts = st.text(max_size=8)
lists = st.lists(texts, max_size=3).map(tuple)
cards = st.builds(
    EntryCard,
    knowledge_base=texts,
    path=texts,
    id=texts,
    title=texts,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    product=texts,
    component=texts,
    tags=lists,
    aliases=lists,
    alerts=lists,
    has=lists,
    reviewed=st.none() | st.dates(),
    is_stub=st.booleans(),
)


@given(st.lists(cards, max_size=5, unique_by=lambda card: card.path))
def test_cards_come_back_as_they_were_written(tmp_path_factory, some: list[EntryCard]) -> None:
    folder: Path = tmp_path_factory.mktemp("cards")
    write_lines(folder, {path_key(card.path): card_line(card) for card in some})
    assert load_cards(folder) == tuple(sorted(some, key=lambda card: card.path))


def test_a_card_of_another_version_counts_as_none(tmp_path: Path) -> None:
    write_lines(tmp_path, {b'"a"': b'"a"\t{"title": "no kind"}'})
    assert load_cards(tmp_path) == ()


def test_a_flipped_byte_counts_as_none(tmp_path: Path) -> None:
    card = EntryCard("kb", "a.md", "a", "A", Kind.NOTE, State.DRAFT, "", "", reviewed=dt.date(2025, 1, 2))
    write_lines(tmp_path, {path_key(card.path): card_line(card)})
    damaged = bytearray((tmp_path / CARDS).read_bytes())
    damaged[-5] ^= 1
    (tmp_path / CARDS).write_bytes(damaged)
    assert load_cards(tmp_path) == ()
