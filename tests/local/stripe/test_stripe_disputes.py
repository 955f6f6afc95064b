"""Disputes and inquiries: begun, answered, won, lost, missed."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from local.stripe import clock
from tests.local.stripe.stripe_harness import (
    Api,
    Receiver,
    events_about,
    process,
    types_about,
)


def dispute_of(client: stripe.StripeClient, intent: Any) -> stripe.Dispute:
    """Return the only dispute about an intent."""
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    return dispute


def decide(api: Api, dispute: stripe.Dispute, outcome: str) -> Any:
    """Decide a dispute through the control door."""
    return api.control("POST", f"disputes/{dispute.id}/decide", {"outcome": outcome})


def booked(client: stripe.StripeClient, dispute: stripe.Dispute) -> list[tuple[str, int, int]]:
    """Return what a dispute moved: category, amount, fee, oldest first."""
    found = client.v1.balance_transactions.list({"source": dispute.id}).data
    assert [entry.type for entry in found] == ["adjustment"] * len(found)
    return [(entry.reporting_category, entry.amount, entry.fee) for entry in found[::-1]]


@pytest.fixture
def disputed(api: Api) -> Any:
    """Return an intent whose payment was disputed as fraudulent."""
    return api.paid(card="pm_card_createDispute")


@pytest.fixture
def dispute(client: stripe.StripeClient, disputed: Any) -> stripe.Dispute:
    """Return a dispute that wants an answer."""
    return dispute_of(client, disputed)


@pytest.fixture
def inquiry(api: Api, client: stripe.StripeClient) -> stripe.Dispute:
    """Return an inquiry that wants an answer."""
    return dispute_of(client, api.paid(card="pm_card_createDisputeInquiry"))


@pytest.mark.parametrize(
    ("card", "reason", "status", "case", "code"),
    [
        ("createDispute", "fraudulent", "needs_response", "chargeback", "10.4"),
        (
            "createDisputeProductNotReceived",
            "product_not_received",
            "needs_response",
            "chargeback",
            "13.1",
        ),
        ("createDisputeInquiry", "fraudulent", "warning_needs_response", "inquiry", "10"),
    ],
)
def test_card_begins_its_dispute(
    api: Api,
    client: stripe.StripeClient,
    card: str,
    reason: str,
    status: str,
    case: str,
    code: str,
) -> None:
    paid = api.paid(card=f"pm_card_{card}", expand=["latest_charge"])
    assert paid.status == "succeeded"
    dispute = dispute_of(client, paid)
    assert (dispute.amount, dispute.currency, dispute.charge) == (
        2000,
        "usd",
        paid.latest_charge.id,
    )
    assert (dispute.reason, dispute.status) == (reason, status)
    assert dispute.is_charge_refundable == (case == "inquiry")
    assert dispute.payment_method_details is not None
    assert dispute.payment_method_details.card is not None
    details = dispute.payment_method_details.card
    assert (details.case_type, details.network_reason_code) == (case, code)
    assert client.v1.charges.retrieve(paid.latest_charge.id).disputed


def test_dispute_takes_the_money_and_a_fee(
    client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    assert booked(client, dispute) == [("dispute", -2000, 1500)]
    (withdrawn,) = dispute.balance_transactions
    assert (withdrawn.net, withdrawn.source) == (-3500, dispute.id)
    assert [(fee.amount, fee.description) for fee in withdrawn.fee_details] == [
        (1500, "Dispute fee")
    ]
    kept = client.v1.balance_transactions.retrieve(withdrawn.id, {"expand": ["source"]})
    assert isinstance(kept.source, stripe.Dispute)
    assert kept.source.id == dispute.id


def test_dispute_is_in_the_balance(fresh: Api) -> None:
    paid = fresh.paid(10_000, card="pm_card_createDispute")
    client = fresh.client()
    (pending,) = client.v1.balance.retrieve().pending
    assert pending.amount == 10_000 - 320 - 10_000 - 1500
    decide(fresh, dispute_of(client, paid), "won")
    (pending,) = client.v1.balance.retrieve().pending
    assert pending.amount == 10_000 - 320 - 1500


def test_dispute_follows_upon_its_charge(
    client: stripe.StripeClient, disputed: Any, dispute: stripe.Dispute
) -> None:
    assert types_about(client, disputed.id) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
    ]
    created = events_about(client, dispute.id)[0]
    assert created["data"]["object"] == dispute.to_dict()


def test_held_money_is_disputed_once_it_is_taken(api: Api, client: stripe.StripeClient) -> None:
    held = api.paid(card="pm_card_createDispute", capture_method="manual")
    assert client.v1.disputes.list({"payment_intent": held.id}).data == []
    client.v1.payment_intents.capture(held.id, {"amount_to_capture": 1500})
    assert dispute_of(client, held).amount == 1500


def test_time_to_respond_ends_with_a_day(dispute: stripe.Dispute) -> None:
    due_by = dispute.evidence_details.due_by
    assert due_by is not None
    assert 7 * clock.DAY < due_by - dispute.created < 21 * clock.DAY
    assert (due_by + 1) % clock.DAY == 0
    assert not dispute.evidence_details.past_due


def test_disputes_are_listed_by_what_they_are_about(
    api: Api, client: stripe.StripeClient, disputed: Any, dispute: stripe.Dispute
) -> None:
    api.paid(card="pm_card_createDispute")
    filters: list[Any] = [
        {"charge": disputed.latest_charge},
        {"payment_intent": disputed.id, "created": {"gte": dispute.created}},
    ]
    for wanted in filters:
        assert [found.id for found in client.v1.disputes.list(wanted).data] == [dispute.id]
    later: Any = {"payment_intent": disputed.id, "created": {"gt": dispute.created}}
    assert client.v1.disputes.list(later).data == []
    shown = client.v1.disputes.retrieve(dispute.id, {"expand": ["charge", "payment_intent"]})
    assert isinstance(shown.charge, stripe.Charge)
    assert isinstance(shown.payment_intent, stripe.PaymentIntent)
    with pytest.raises(stripe.InvalidRequestError, match="No such dispute: 'du_no'") as refused:
        client.v1.disputes.retrieve("du_no")
    assert (refused.value.http_status, refused.value.param) == (404, "dispute")


def test_disputed_charge_is_not_refunded(
    client: stripe.StripeClient, disputed: Any, dispute: stripe.Dispute
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back") as refused:
        client.v1.refunds.create({"payment_intent": disputed.id})
    assert (refused.value.http_status, refused.value.code) == (400, "charge_disputed")
    client.v1.disputes.close(dispute.id)
    with pytest.raises(stripe.InvalidRequestError, match="has been charged back"):
        client.v1.refunds.create({"payment_intent": disputed.id})
    assert not client.v1.charges.retrieve(disputed.latest_charge).amount_refunded


def test_refund_is_possible_again_after_a_win(
    api: Api, client: stripe.StripeClient, disputed: Any, dispute: stripe.Dispute
) -> None:
    decide(api, dispute, "won")
    assert client.v1.refunds.create({"payment_intent": disputed.id}).amount == 2000


def test_draft_is_kept_and_not_submitted(
    client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    draft = client.v1.disputes.update(
        dispute.id,
        {
            "evidence": {"customer_name": "Ada", "product_description": "x" * 20_000},
            "metadata": {"order": "42"},
            "submit": False,
        },
    )
    assert (draft.status, draft.evidence.customer_name) == ("needs_response", "Ada")
    assert draft.to_dict()["metadata"] == {"order": "42"}
    assert draft.evidence_details.has_evidence
    assert draft.evidence_details.submission_count == 0
    submitted = client.v1.disputes.update(dispute.id, {"submit": True})
    assert (submitted.status, submitted.evidence.customer_name) == ("under_review", "Ada")
    assert submitted.evidence_details.submission_count == 1


def test_evidence_can_be_taken_out_of_a_draft(
    client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    for name in ("Ada", ""):
        evidence: Any = {"customer_name": name}
        draft = client.v1.disputes.update(dispute.id, {"evidence": evidence, "submit": False})
    assert draft.evidence.customer_name is None
    assert not draft.evidence_details.has_evidence
    with pytest.raises(stripe.InvalidRequestError, match="no evidence to submit"):
        client.v1.disputes.update(dispute.id, {"submit": True})


def test_evidence_is_submitted_unless_it_is_a_draft(
    client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    noted = client.v1.disputes.update(dispute.id, {"metadata": {"order": "42"}})
    assert noted.status == "needs_response"
    submitted = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "No."}})
    assert submitted.status == "under_review"
    *_, updated = events_about(client, dispute.id)
    assert updated["type"] == "charge.dispute.updated"
    assert updated["data"]["previous_attributes"]["status"] == "needs_response"
    assert updated["data"]["previous_attributes"]["evidence"] == {"uncategorized_text": None}


def test_evidence_is_submitted_once(client: stripe.StripeClient, dispute: stripe.Dispute) -> None:
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "No."}})
    with pytest.raises(stripe.InvalidRequestError, match="submitted before"):
        client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "Never."}})
    kept = client.v1.disputes.retrieve(dispute.id)
    assert kept.evidence.uncategorized_text == "No."


@pytest.mark.parametrize(
    ("evidence", "code", "param"),
    [
        ({"colour": "red"}, "parameter_unknown", "evidence[colour]"),
        (
            {"customer_name": "x" * 5001},
            "parameter_invalid_string",
            "evidence[customer_name]",
        ),
        (
            {"uncategorized_text": "x" * 20_001},
            "parameter_invalid_string",
            "evidence[uncategorized_text]",
        ),
        ({"receipt": "file_no"}, "resource_missing", "evidence[receipt]"),
        (
            dict.fromkeys(
                [
                    "access_activity_log",
                    "cancellation_policy_disclosure",
                    "cancellation_rebuttal",
                    "duplicate_charge_explanation",
                    "product_description",
                    "refund_policy_disclosure",
                    "refund_refusal_explanation",
                    "uncategorized_text",
                ],
                "x" * 20_000,
            ),
            None,
            "evidence",
        ),
    ],
)
def test_bad_evidence_is_refused(
    client: stripe.StripeClient,
    dispute: stripe.Dispute,
    evidence: Any,
    code: str | None,
    param: str,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.disputes.update(dispute.id, {"evidence": evidence})
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (
        400,
        code,
        param,
    )
    assert client.v1.disputes.retrieve(dispute.id).to_dict() == dispute.to_dict()


def test_won_dispute_gives_the_money_back_and_keeps_the_fee(
    api: Api, client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    decide(api, dispute, "won")
    won = client.v1.disputes.retrieve(dispute.id)
    assert (won.status, won.is_charge_refundable) == ("won", True)
    assert booked(client, dispute) == [("dispute", -2000, 1500), ("dispute_reversal", 2000, 0)]
    assert [entry.amount for entry in won.balance_transactions] == [-2000, 2000]
    reinstated, closed = events_about(client, dispute.id)[-2:]
    assert (reinstated["type"], closed["type"]) == (
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    )
    assert closed["data"]["object"] == won.to_dict()
    assert client.v1.charges.retrieve(str(dispute.charge)).disputed


def test_lost_dispute_moves_nothing_more(
    api: Api, client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    decide(api, dispute, "lost")
    lost = client.v1.disputes.retrieve(dispute.id)
    assert (lost.status, lost.is_charge_refundable) == ("lost", False)
    assert booked(client, dispute) == [("dispute", -2000, 1500)]
    assert types_about(client, dispute.id)[-1] == "charge.dispute.closed"


def test_conceded_dispute_is_lost(client: stripe.StripeClient, dispute: stripe.Dispute) -> None:
    assert client.v1.disputes.close(dispute.id).status == "lost"
    assert types_about(client, dispute.id)[-1] == "charge.dispute.closed"


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_closed_dispute_stays_as_it_is(
    api: Api, client: stripe.StripeClient, dispute: stripe.Dispute, outcome: str
) -> None:
    closed = decide(api, dispute, outcome)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.close(dispute.id)
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        client.v1.disputes.update(dispute.id, {"metadata": {"a": "1"}})
    with pytest.raises(httpx.HTTPStatusError) as refused:
        decide(api, dispute, "won")
    assert refused.value.response.status_code == 400
    assert client.v1.disputes.retrieve(dispute.id).to_dict() == closed


def test_inquiry_moves_no_money(
    api: Api, client: stripe.StripeClient, inquiry: stripe.Dispute
) -> None:
    assert (inquiry.balance_transactions, booked(client, inquiry)) == ([], [])
    answered = client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "No."}})
    assert answered.status == "warning_under_review"
    assert decide(api, inquiry, "lost")["status"] == "warning_closed"
    assert booked(client, inquiry) == []
    assert types_about(client, inquiry.id) == [
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
    ]


def test_charge_under_inquiry_can_be_refunded(
    client: stripe.StripeClient, inquiry: stripe.Dispute
) -> None:
    assert client.v1.refunds.create({"charge": str(inquiry.charge)}).status == "succeeded"


def test_escalated_inquiry_is_a_dispute(
    api: Api, client: stripe.StripeClient, inquiry: stripe.Dispute
) -> None:
    client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "No."}})
    decide(api, inquiry, "escalated")
    dispute = client.v1.disputes.retrieve(inquiry.id)
    assert (dispute.status, dispute.is_charge_refundable) == ("needs_response", False)
    assert booked(client, dispute) == [("dispute", -2000, 1500)]
    assert types_about(client, dispute.id)[-2:] == [
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
    ]
    again = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "No!"}})
    assert (again.status, again.evidence_details.submission_count) == ("under_review", 2)
    with pytest.raises(httpx.HTTPStatusError):
        decide(api, dispute, "escalated")


def test_any_charge_can_be_disputed(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid(card="pm_card_mastercard")
    made = api.control(
        "POST",
        "disputes",
        {"payment_intent": paid.id, "reason": "product_unacceptable", "amount": 700},
    )
    dispute = client.v1.disputes.retrieve(made["id"])
    assert (dispute.amount, dispute.reason, dispute.charge) == (
        700,
        "product_unacceptable",
        paid.latest_charge,
    )
    assert booked(client, dispute) == [("dispute", -700, 1500)]
    asked = api.control("POST", "disputes", {"charge": api.paid().latest_charge, "inquiry": True})
    assert client.v1.disputes.retrieve(asked["id"]).status == "warning_needs_response"


def test_what_was_refunded_is_not_disputed(api: Api, client: stripe.StripeClient) -> None:
    paid = api.paid()
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 500})
    assert api.control("POST", "disputes", {"payment_intent": paid.id})["amount"] == 1500


def test_charge_is_disputed_again_only_after_a_win(api: Api, dispute: stripe.Dispute) -> None:
    again = {"charge": dispute.charge}
    with pytest.raises(httpx.HTTPStatusError, match="400"):
        api.control("POST", "disputes", again)
    decide(api, dispute, "won")
    assert api.control("POST", "disputes", again)["id"] != dispute.id


def test_dispute_that_cannot_be_is_refused(api: Api, client: stripe.StripeClient) -> None:
    paid, held = api.paid(), api.paid(capture_method="manual")
    unpaid = client.v1.payment_intents.create({"amount": 2000, "currency": "usd"})
    for body, status in (
        ({}, 422),
        ({"charge": paid.latest_charge, "payment_intent": paid.id}, 422),
        ({"charge": paid.latest_charge, "reason": "bored"}, 422),
        ({"charge": paid.latest_charge, "amount": 2001}, 400),
        ({"charge": held.latest_charge}, 400),
        ({"charge": "ch_no"}, 404),
        ({"payment_intent": unpaid.id}, 409),
    ):
        with pytest.raises(httpx.HTTPStatusError) as refused:
            api.control("POST", "disputes", body)
        assert refused.value.response.status_code == status
    assert not client.v1.charges.retrieve(paid.latest_charge).disputed


def test_evidence_is_submitted_once_for_a_key(
    api: Api, client: stripe.StripeClient, dispute: stripe.Dispute
) -> None:
    path, form = f"/v1/disputes/{dispute.id}", "evidence[uncategorized_text]=No."
    key = {"Idempotency-Key": f"answer-{dispute.id}"}
    first, again = (api.http("POST", path, form, **key) for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert types_about(client, dispute.id)[2:] == ["charge.dispute.updated"]


def test_webhooks_tell_of_a_dispute_in_order(fresh: Api, receiver: Receiver) -> None:
    client = fresh.client()
    client.v1.webhook_endpoints.create(
        {
            "url": receiver.url,
            "enabled_events": [
                "charge.dispute.closed",
                "charge.dispute.created",
                "charge.dispute.funds_reinstated",
                "charge.dispute.funds_withdrawn",
                "charge.dispute.updated",
            ],
        }
    )
    dispute = dispute_of(client, fresh.paid(card="pm_card_createDispute"))
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "No."}})
    decide(fresh, dispute, "won")
    assert receiver.types(5) == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def wait(api: Api, days: int) -> None:
    """Let days pass in which nobody does anything."""
    api.control("POST", "clock", {"advance_seconds": days * clock.DAY})


@pytest.mark.parametrize(
    ("card", "text", "status"),
    [
        ("createDispute", "winning_evidence", "won"),
        ("createDispute", "losing_evidence", "lost"),
        ("createDispute", "escalate_inquiry_evidence", "under_review"),
        ("createDispute", "I was there.", "under_review"),
        ("createDisputeInquiry", "winning_evidence", "warning_closed"),
        ("createDisputeInquiry", "losing_evidence", "warning_closed"),
        ("createDisputeInquiry", "escalate_inquiry_evidence", "needs_response"),
    ],
)
def test_bank_decides_as_the_evidence_says(fresh: Api, card: str, text: str, status: str) -> None:
    client = fresh.client()
    dispute = dispute_of(client, fresh.paid(card=f"pm_card_{card}"))
    answered = client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
    assert answered.status.endswith("under_review")
    wait(fresh, days=1)
    assert client.v1.disputes.retrieve(dispute.id).status == status


def test_draft_decides_nothing(fresh: Api) -> None:
    client = fresh.client()
    dispute = dispute_of(client, fresh.paid(card="pm_card_createDispute"))
    client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": False}
    )
    wait(fresh, days=1)
    assert client.v1.disputes.retrieve(dispute.id).status == "needs_response"


def test_unanswered_dispute_is_lost_when_its_time_is_over(fresh: Api) -> None:
    client = fresh.client()
    silent, answered = (
        dispute_of(client, fresh.paid(card="pm_card_createDispute")) for _ in range(2)
    )
    client.v1.disputes.update(answered.id, {"evidence": {"uncategorized_text": "I was there."}})
    wait(fresh, days=7)
    assert client.v1.disputes.retrieve(silent.id).status == "needs_response"
    wait(fresh, days=2)
    lost = client.v1.disputes.retrieve(silent.id)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)
    assert types_about(client, silent.id)[-1] == "charge.dispute.closed"
    assert client.v1.disputes.retrieve(answered.id).status == "under_review"


def test_money_of_a_dispute_becomes_available_in_time(fresh: Api) -> None:
    client = fresh.client()
    dispute = dispute_of(client, fresh.paid(card="pm_card_createDispute"))
    for days, status in ((0, "pending"), (3, "available")):
        wait(fresh, days)
        (withdrawn,) = client.v1.disputes.retrieve(dispute.id).balance_transactions
        assert withdrawn.status == status


def test_unanswered_inquiry_comes_to_nothing(fresh: Api) -> None:
    client = fresh.client()
    inquiry = dispute_of(client, fresh.paid(card="pm_card_createDisputeInquiry"))
    wait(fresh, days=9)
    late = client.v1.disputes.retrieve(inquiry.id)
    assert (late.status, late.evidence_details.past_due) == ("warning_needs_response", True)
    with pytest.raises(stripe.InvalidRequestError, match="its time is over"):
        client.v1.disputes.update(inquiry.id, {"evidence": {"uncategorized_text": "No."}})
    wait(fresh, days=111)
    assert client.v1.disputes.retrieve(inquiry.id).status == "warning_closed"


def test_escalation_begins_a_new_time_to_respond(fresh: Api) -> None:
    client = fresh.client()
    inquiry = dispute_of(client, fresh.paid(card="pm_card_createDisputeInquiry"))
    client.v1.disputes.update(
        inquiry.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}}
    )
    # The escalation and the end of the inquiry's own time fall due together.
    wait(fresh, days=10)
    escalated = client.v1.disputes.retrieve(inquiry.id)
    assert escalated.status == "needs_response"
    assert escalated.evidence_details.due_by is not None
    assert escalated.evidence_details.due_by > escalated.created + 17 * clock.DAY
    wait(fresh, days=10)
    assert client.v1.disputes.retrieve(inquiry.id).status == "lost"


def test_killed_server_remembers_disputes(tmp_path: Path) -> None:
    state = tmp_path / "stripe.sqlite"
    with process(state) as (api, running):
        dispute = dispute_of(api.client(), api.paid(card="pm_card_createDispute"))
        running.kill()
    with process(state) as (api, _):
        assert api.client().v1.disputes.retrieve(dispute.id).to_dict() == dispute.to_dict()
        assert decide(api, dispute, "won")["status"] == "won"
