"""What a bank is told: all of it, in Stripe's fields, within Stripe's limits."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import MOST_IN_A_FIELD, MOST_IN_ALL, Case, Dish, Proof, Seen, compose
from domain.pricing import Rates, price

AT = datetime(2026, 1, 31, 18, 34, tzinfo=UTC)
CASE = Case(
    order_number="RND-20260131-0001",
    kitchen="Meena's Kitchen",
    customer_name="Casey Morgan",
    customer_email="customer@example.com",
    address="123 Main St, Austin, TX 78701, US",
    bill=price([(1000, 2)], Rates(), 3.0, tip_cents=200),
    dishes=(Dish("Masala Dosa", 2, 1000),),
    steps=(Seen(AT, "delivered (by driver)"),),
    messages=(Seen(AT, "Your order has been delivered. Enjoy!"),),
    refunds=(),
    driver="Sam",
    near_door_at=AT,
    delivered_at=AT,
    proof=Proof(photo_url="https://photos.example/1.jpg", note="handed over"),
)

words = st.text(max_size=40)
long_words = st.builds(lambda part, times: part * times, words, st.integers(0, 4000))
sights = st.lists(st.builds(Seen, st.just(AT), words), max_size=20).map(tuple)
cases = st.builds(
    Case,
    order_number=words,
    kitchen=words,
    customer_name=long_words,
    customer_email=words,
    address=long_words,
    bill=st.just(CASE.bill),
    dishes=st.lists(st.builds(Dish, long_words, st.integers(1, 9), st.integers(0, 9999))).map(
        tuple
    ),
    steps=sights,
    messages=sights,
    refunds=sights,
    driver=st.none() | words,
    near_door_at=st.none() | st.just(AT),
    delivered_at=st.none() | st.just(AT),
    proof=st.builds(Proof, photo_url=st.none() | words, note=st.none() | words),
    words=st.none() | long_words,
)


def test_the_evidence_of_a_delivered_order() -> None:
    said = compose(CASE)

    assert said["customer_name"] == "Casey Morgan"
    assert said["shipping_address"] == CASE.address
    assert said["service_date"] == said["shipping_date"] == "2026-01-31"
    assert "2 x Masala Dosa at 10.00 USD" in said["product_description"]
    assert "Tip: 2.00 USD" in said["product_description"]
    assert "Total charged: 28.60 USD" in said["product_description"]
    log = said["access_activity_log"]
    assert "Photo at the door: https://photos.example/1.jpg" in log
    assert "The driver's note: handed over" in log
    assert "The driver's position was at the door on 2026-01-31 18:34:00 UTC" in log
    assert "2026-01-31 18:34:00 UTC  Your order has been delivered. Enjoy!" in log
    assert "uncategorized_text" not in said
    assert "refund_refusal_explanation" not in said


def test_a_code_and_a_photo_of_ours_are_proof() -> None:
    proof = Proof(
        by_code=True, photo_digest="9f86d0", photo_at=datetime(2026, 1, 31, 18, 33, tzinfo=UTC)
    )

    log = compose(replace(CASE, proof=proof))["access_activity_log"]

    assert "The customer gave the driver the code for this order" in log
    assert "a photo of the order at the door on 2026-01-31 18:33:00 UTC" in log
    assert "(SHA-256 9f86d0)" in log
    assert "code" not in compose(CASE)["access_activity_log"]


def test_coordinates_are_proof_where_there_are_any() -> None:
    case = replace(CASE, proof=Proof(latitude=30.2672, longitude=-97.7431))

    assert "Handed over at 30.2672, -97.7431." in compose(case)["access_activity_log"]


def test_what_people_add_is_sent_as_they_wrote_it() -> None:
    assert compose(replace(CASE, words="He thanked us."))["uncategorized_text"] == "He thanked us."


def test_what_was_not_delivered_is_not_said_to_be() -> None:
    said = compose(replace(CASE, delivered_at=None, near_door_at=None, proof=Proof()))

    assert "Delivered" not in said["access_activity_log"]
    assert not {"service_date", "shipping_date"} & said.keys()


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    said = compose(replace(CASE, words="x" * (MOST_IN_A_FIELD + 1)))["uncategorized_text"]

    assert MOST_IN_A_FIELD - 10 < len(said) <= MOST_IN_A_FIELD
    kept = said.index("\n")
    assert said.endswith(f"[{MOST_IN_A_FIELD + 1 - kept} more characters do not fit here]")


@given(cases)
def test_it_is_always_within_stripes_limits(case: Case) -> None:
    said = compose(case)

    assert all(said.values())
    assert all(len(text) <= MOST_IN_A_FIELD for text in said.values())
    assert sum(len(text) for text in said.values()) <= MOST_IN_ALL
    assert compose(case) == said
