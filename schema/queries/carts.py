"""Every SQL statement about carts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from uuid_utils.compat import uuid7

from domain.placing import cart_changed
from schema.messages.order import CartRef
from schema.tables import Cart, CartItem
from schema.tables.columns import now


async def find(session: AsyncSession, customer_id: UUID) -> tuple[Cart | None, Sequence[CartItem]]:
    """A customer's cart and what is in it, the first thing first."""
    cart = await session.scalar(select(Cart).where(col(Cart.customer_id) == customer_id))
    return cart, await _items(session, cart) if cart else []


async def locked(session: AsyncSession, customer_id: UUID) -> tuple[Cart, Sequence[CartItem]]:
    """A customer's cart, made if there is none; nobody else changes it until this transaction ends,
    from whatever device.
    """
    await session.execute(
        insert(Cart)
        .values(id=uuid7(), customer_id=customer_id, version=1, updated_at=now())
        .on_conflict_do_nothing(index_elements=["customer_id"])
    )
    cart = (
        await session.scalars(
            select(Cart).where(col(Cart.customer_id) == customer_id).with_for_update(key_share=True)
        )
    ).one()
    return cart, await _items(session, cart)


async def changed(session: AsyncSession, cart: Cart) -> None:
    """Give a cart that was changed its next version; one without dishes is no chef's."""
    await session.flush()
    left = await session.scalar(
        select(func.count()).select_from(CartItem).where(col(CartItem.cart_id) == cart.id)
    )
    if not left:
        cart.chef_id = None
    cart.version += 1
    cart.updated_at = now()
    await session.flush()


async def empty(session: AsyncSession, cart_id: UUID) -> None:
    """Take everything out of a cart."""
    await session.execute(delete(CartItem).where(col(CartItem.cart_id) == cart_id))


async def turn_into_order(session: AsyncSession, ref: CartRef) -> None:
    """Empty the cart that an order is made of, as it was seen. Raises CannotBePlaced when it is
    another by now.
    """
    turned = await session.execute(
        update(Cart)
        .where(col(Cart.id) == ref.id, col(Cart.version) == ref.version)
        .values(version=ref.version + 1, chef_id=None, updated_at=now())
        .returning(col(Cart.id))
    )
    if turned.first() is None:
        raise cart_changed()
    await empty(session, ref.id)


async def _items(session: AsyncSession, cart: Cart) -> Sequence[CartItem]:
    found = await session.scalars(
        select(CartItem).where(col(CartItem.cart_id) == cart.id).order_by(col(CartItem.id))
    )
    return found.all()
