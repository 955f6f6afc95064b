"""A chef who cannot be paid yet, in an engine room, and all that becomes of his account."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col
from temporalio.client import WorkflowHandle

from domain.payees import PayeeKind
from local.people import until
from local.world import Somebody
from schema.messages.payees import AccountUpdated, LinkAsk, OnboardingLink, PayeeRef
from schema.queries import payees
from schema.tables import ConnectedAccount, Notification
from tests.workflows.room import Room
from workflows.onboarding import OnboardingWorkflow
from workflows.options import PAYOUTS_QUEUE

ASK = LinkAsk(
    return_url="https://app.example.com/back", refresh_url="https://app.example.com/again"
)


@dataclass
class Newcomer:
    """A chef who cannot be paid yet, and his workflow."""

    room: Room
    handle: WorkflowHandle[OnboardingWorkflow, None]

    @property
    def payee(self) -> PayeeRef:
        return PayeeRef(kind=PayeeKind.CHEF, payee_id=self.room.world.chef.id)

    async def begin(self) -> None:
        """Start the workflow, again if it has ended."""
        self.handle = await self.room.client.start_workflow(
            OnboardingWorkflow.run, self.payee, id=self.handle.id, task_queue=PAYOUTS_QUEUE
        )

    async def hear(self) -> None:
        """What the facade does with `account.updated`."""
        self.handle = await self.room.client.start_workflow(
            OnboardingWorkflow.run,
            self.payee,
            id=self.handle.id,
            task_queue=PAYOUTS_QUEUE,
            start_signal=OnboardingWorkflow.account_updated.__name__,
            start_signal_args=[AccountUpdated(account_id="acct_of_the_event")],
        )

    async def link(self) -> OnboardingLink:
        return await self.handle.execute_update(OnboardingWorkflow.link, ASK)

    async def opened(self) -> str:
        """Begin, and wait for the account."""
        await self.begin()
        return (await self.link()).account.id

    async def becomes(self, account_id: str, outcome: str, *, heard: bool = True) -> None:
        """The account changes at Stripe, and the word of it arrives unless it is lost."""
        await self.room.stripe_control(f"accounts/{account_id}", {"outcome": outcome})
        if heard:
            await self.hear()

    async def stands(self, *, can_be_paid: bool) -> ConnectedAccount:
        """Wait until our books say so."""

        async def look() -> ConnectedAccount | None:
            async with self.room.database.read() as session:
                row = await payees.account_of(session, self.payee.payee_id)
            return row if row and row.payouts_enabled is can_be_paid else None

        return await until(look)

    async def told(self, who: Somebody) -> list[str]:
        async with self.room.database.read() as session:
            found = await session.scalars(
                select(col(Notification.message))
                .where(
                    col(Notification.user_id) == who.user_id,
                    col(Notification.business_key).startswith(str(self.payee.payee_id)),
                )
                .order_by(col(Notification.id))
            )
            return list(found)

    async def hears(self, who: Somebody, *messages: str) -> None:
        """Wait until somebody was told exactly this."""

        async def told() -> bool:
            return await self.told(who) == list(messages)

        await until(told, within=20)

    async def has_looked(self) -> None:
        """Wait until nothing is left to do before the next timer."""

        async def rests() -> bool:
            found = await self.handle.describe()
            return not found.raw_description.pending_activities

        await until(rests)

    def accounts(self) -> list[str]:
        """The accounts of the chef that there are at Stripe."""
        return [
            account.id
            for account in self.room.stripe.v1.accounts.list({"limit": 100}).auto_paging_iter()
            if account.metadata and account.metadata["payee_id"] == str(self.payee.payee_id)
        ]


def newcomer_in(room: Room) -> Newcomer:
    """The chef of a room whose people are not onboarded."""
    handle: WorkflowHandle[OnboardingWorkflow, None] = room.client.get_workflow_handle_for(
        OnboardingWorkflow.run, f"onboarding-{room.world.chef.id}"
    )
    return Newcomer(room, handle)
