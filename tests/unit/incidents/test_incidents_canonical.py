import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_app.incidents.canonical import NotCanonicalError, canonical, parse


def number(bits):
    return struct.unpack(">d", bytes.fromhex(bits))[0]


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        # RFC 8785, appendix B
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_spelt_as_in_the_standard(bits, text):
    assert canonical(number(bits)).decode() == text


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000", "fff0000000000000"])
def test_numbers_that_are_not_finite_are_refused(bits):
    with pytest.raises(NotCanonicalError):
        canonical(number(bits))


def test_the_sample_object_of_the_standard():
    # RFC 8785, section 3.2.2 and 3.2.3
    sample = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    assert canonical(parse(sample.encode())).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_members_are_sorted_by_utf_16_code_units():
    # RFC 8785, section 3.2.3
    sample = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    assert list(json.loads(canonical(sample)).values()) == [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ]


def test_only_what_must_be_escaped_is():
    assert canonical('\b\t\n\f\r\x00\x1f"\\/\x7f\u2028é').decode() == (
        '"\\b\\t\\n\\f\\r\\u0000\\u001f\\"\\\\/\x7f\u2028é"'
    )


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, {1: 2}, {1, 2}, b"x", 2**53, object()])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(NotCanonicalError):
        canonical(value)


def test_what_is_nested_too_deeply_is_refused():
    value = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(NotCanonicalError, match="deeply"):
        canonical(value)


@pytest.mark.parametrize(
    ("raw", "position"),
    [
        (b"", 0),
        (b'{"a":1', 6),
        (b'{"a":\xff}', 5),
        ('{"é":x}'.encode(), 6),
        (b'{"a":1,"a":2}', None),
        (b"[NaN]", None),
        (b"[" * 100_000, None),
    ],
)
def test_what_is_not_strict_json_is_refused_with_its_place(raw, position):
    with pytest.raises(NotCanonicalError) as caught:
        parse(raw)
    assert caught.value.position == position


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(plain)
def test_the_canonical_form_reads_back_and_is_a_fixed_point(value):
    raw = canonical(value)
    assert parse(raw) == value
    assert canonical(parse(raw)) == raw


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back_to_the_same_bits(value):
    read = float(canonical(value))
    assert struct.pack(">d", read) == struct.pack(">d", value + 0.0)
