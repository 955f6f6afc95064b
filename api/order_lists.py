"""Pages of orders, for each of those who may see them."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from api import views
from api.dependencies import Paging
from api.views import OrderOut, Page
from domain.order_status import OrderStatus
from schema.database import Database
from schema.queries import order_views


async def orders_page(
    database: Database,
    visible: ColumnElement[bool],
    paging: Paging,
    statuses: Sequence[OrderStatus],
) -> Page[OrderOut]:
    """A page of the orders that are `visible`, of the given statuses if any, the newest first."""
    async with database.read() as session:
        found, total = await order_views.page(
            session, visible, statuses=statuses, limit=paging.limit, offset=paging.offset
        )
    return Page(
        data=[views.order(view) for view in found],
        page=paging.page,
        limit=paging.limit,
        total=total,
    )
