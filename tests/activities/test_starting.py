"""One that does not start holds up none of those beside it."""

from uuid import UUID, uuid4

from activities.starting import started


async def test_those_that_start_are_told_from_those_that_do_not() -> None:
    begun: list[UUID] = []

    async def start(key: UUID, *, fails: bool = False) -> None:
        if fails:
            raise TimeoutError("not now")
        begun.append(key)

    first, second, third = uuid4(), uuid4(), uuid4()
    good, troubles = await started(
        {first: start(first), second: start(second, fails=True), third: start(third)}
    )

    assert good == begun == [first, third]
    assert [str(trouble) for trouble in troubles] == ["not now"]
