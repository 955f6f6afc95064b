"""What is masked in a message, and what has to stay readable in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, example_number, format_number

from domain.contact_data import MASK, Masked, masked

CONTACTS = {
    # Telephone numbers, as they are written here and there.
    "Call me: 512-555-0123": f"Call me: {MASK}",
    "(512) 555 0123 when you are here": f"{MASK} when you are here",
    "5125550123": MASK,
    "+1 512.555.0123, please": f"{MASK}, please",
    "My number is +44 20 7946 0958.": f"My number is {MASK}.",
    "512-555-0123 ext. 12": MASK,
    "just 555-0123": f"just {MASK}",
    "5 1 2 5 5 5 0 1 2 3": MASK,
    "512*555*0123": MASK,
    "5-1-2-5-5-5-0-1-2-3 ok?": f"{MASK} ok?",
    "512,555,0123": MASK,
    "512 / 555 / 0123": MASK,
    "512\n555\n0123": MASK,
    "house 12, 512 555 0123": f"house 12, {MASK}",
    "five one two five five five oh one two three": MASK,
    "five one two, double five five, 0123": MASK,
    "cinco uno dos cinco cinco cinco cero uno dos tres": MASK,
    "512 five five five 0123": MASK,
    "\uff15\uff11\uff12\uff15\uff15\uff15\uff10\uff11\uff12\uff13": MASK,
    "①②③ 555 0123": MASK,
    "5️⃣1️⃣2️⃣5️⃣5️⃣5️⃣0️⃣1️⃣2️⃣3️⃣": MASK,
    "٥١٢٥٥٥٠١٢٣": MASK,
    "5\u200b1\u200b2\u200b5\u200b5\u200b5\u200b0\u200b1\u200b2\u200b3": MASK,
    "at 18:30, or 512-555-0123": f"at 18:30, or {MASK}",
    "$20 512-555-0123": f"$20 {MASK}",
    "RND-20260131-0001 512-555-0123": f"RND-20260131-0001 {MASK}",
    "$5125550123": f"${MASK}",
    "4242 4242 4242 4242": MASK,
    # Mail.
    "casey.m@example.com": MASK,
    "write to casey+food@mail.example.co.uk today": f"write to {MASK} today",
    "casey @ example . com": MASK,
    "casey (at) example (dot) com": MASK,
    "casey[at]example.com": MASK,
    "casey at example dot com": MASK,
    "casey arroba example punto com": MASK,
    "casey at gmail.com": MASK,
    "casey@gmail": MASK,
    "casey\uff20example\uff0ecom": MASK,
    "my email is caseym": f"my email is {MASK}",
    # The web.
    "https://example.com/me?x=1": MASK,
    "look at www.example.org/casey": f"look at {MASK}",
    "example.com/menu": MASK,
    "example dot com": MASK,
    "wa.me/15125550123": MASK,
    "t.me/caseym": MASK,
    # Messengers.
    "@casey_m on insta": f"{MASK} on insta",
    "whatsapp me at caseym": f"whatsapp me at {MASK}",
    "WhatsApp me at 512-555-0123": f"WhatsApp me at {MASK}",
    "Telegram: caseym": f"Telegram: {MASK}",
    "my insta is casey_m": f"my insta is {MASK}",
    "find me on facebook as casey.m": f"find me on facebook as {MASK}",
    "venmo @casey-m": f"venmo {MASK}",
}

HARMLESS = [
    "Where is RND-20260131-0001?",
    "order 20260131-0001, and RND-20261122-0012",
    "RND-20260131-0001 and RND-20260131-0002 are both mine",
    "0198c0de-0000-7000-8000-00000000000a",
    "I live at 12 Main Street, house 4b, apartment 1204",
    "1200 Congress Ave, Austin, TX 78701-1234",
    "Apt 1204, 78701",
    "The door code is 4521#",
    "#4521*, then 12",
    "gate 451289, floor 3, door 12",
    "bell 3 of 12",
    "$12.50 tip, total $1,234.56",
    "I gave him 20, 20 and 5",
    "26.60 dollars",
    "that is 2660 cents",
    "$26.60 - $5.00 - $1.60",
    "18:30-19:15 is fine",
    "18:30 - 19:15:30",
    "7-7:30 pm",
    "on 2026-01-31 at 18:00",
    "31.01.2026, or 01/31/2026",
    "between 31.01. and 02.02.",
    "two dosas, one idli, three vadas",
    "one two three, testing",
    "2 dosas@5.50 each",
    "See you @ 5pm",
    "see you @ the gate. In a minute",
    "Ring the bell.Me too.",
    "I am at the door. Come down",
    "My phone is broken, whatsapp is down",
    "my email is not working",
    "I'll paypal at the door",
    "St. Mary's, no. 5, 2nd floor, 3.5 km away",
    "allergic to nuts!!! 100 %, 2x spicy, 1/2 portion",
    "Ist gut, danke — bis gleich",
    "नमस्ते, 2 डोसा",
    "👍🏽 5⭐",
    MASK,
]


@pytest.mark.parametrize("text", CONTACTS)
def test_contact_data_is_masked_and_the_rest_is_not(text: str) -> None:
    assert masked(text, "US").text == CONTACTS[text]
    assert masked(text, "US").count == 1


@pytest.mark.parametrize("text", HARMLESS)
def test_what_orders_are_about_stays_readable(text: str) -> None:
    assert masked(text, "US") == Masked(text, 0)


def test_each_place_is_counted() -> None:
    found = masked("512-555-0123 or casey@example.com, not @gate", "US")

    assert found.text == f"{MASK} or {MASK}, not {MASK}"
    assert found.count == 3


@pytest.mark.parametrize("region", ["US", "GB", "DE", "IN", "MX", "ES", "FR", "AU"])
def test_numbers_are_known_as_they_are_written_in_the_orders_country(region: str) -> None:
    number = example_number(region)
    assert number is not None

    for written in (PhoneNumberFormat.NATIONAL, PhoneNumberFormat.INTERNATIONAL):
        said = masked(f"Call {format_number(number, written)} please", region)
        assert said.text == f"Call {MASK} please"


# Such as make no day of it.
_SEPARATORS = st.sampled_from(["", " ", " - ", " . ", ") ", "\n", "_", "\u200b"])


@given(
    digits=st.lists(st.integers(0, 9), min_size=10, max_size=15),
    between=st.lists(_SEPARATORS, min_size=15, max_size=15),
)
def test_no_number_of_ten_digits_gets_through_however_it_is_spaced(
    digits: list[int], between: list[str]
) -> None:
    number = "".join(f"{digit}{gap}" for digit, gap in zip(digits, between, strict=False))

    said = masked(f"call {number} now", "US").text

    assert not any(character.isdigit() for character in said)


@given(name=st.from_regex(r"[a-z][a-z0-9._]{0,15}[a-z0-9]", fullmatch=True))
def test_no_address_of_mail_gets_through(name: str) -> None:
    assert masked(f"write to {name}@example.com today", "US").text == f"write to {MASK} today"


_PIECES = st.sampled_from(
    ["512", "-", " ", "555", "0123", "@", "casey", ".", "com", "five", "my insta is ", ",", "t.me/"]
)


@given(text=st.text(max_size=200) | st.lists(_PIECES, max_size=40).map("".join))
def test_what_is_masked_is_never_longer_and_stays_as_it_is_when_masked_again(text: str) -> None:
    once = masked(text, "US")

    assert len(once.text) <= len(text)
    assert masked(once.text, "US").text == once.text
    assert (once.count == 0) == (once.text == text)


@pytest.mark.parametrize("piece", ["1 ", "1", "a", "a.", "a@", "a at ", "one ", "5-,", "@ . ", "("])
def test_nothing_takes_long_to_look_through(piece: str) -> None:
    began = time.perf_counter()

    masked(piece * (1000 // len(piece)), "US")

    assert time.perf_counter() - began < 0.5
