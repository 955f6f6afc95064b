"""A workflow that is broken on purpose, for the replay test to catch."""

from temporalio import workflow

from workflows.order import OrderWorkflow

with workflow.unsafe.imports_passed_through():
    from schema.messages.order import OrderStart, StatusView


@workflow.defn(name="OrderWorkflow")
class ImpatientOrderWorkflow(OrderWorkflow):
    """It does something that no recorded order has done."""

    @workflow.init
    def __init__(self, start: OrderStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderStart) -> StatusView:
        await workflow.sleep(1)
        return await super().run(start)
