"""What became of what was sent: who was told of it, when, and how often."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bench.watchers import Noted
from domain.live import Happening

# When what was sent, by the order and what tells it from others of its kind.
Moments = Mapping[tuple[str, str], float]


def delivered(noted: Noted, happening: Happening, sent: Moments) -> dict[str, Any]:
    """Of what was sent: how much was heard as it happened and how fast (ms), how much was given
    back to those who were away, how much was overtaken before it was heard (of positions the last
    one counts, and is given back), and how much is lost.
    """
    live: dict[tuple[str, str], float] = {}
    given: set[tuple[str, str]] = set()
    for receipt in noted.receipts:
        if receipt.happening == happening:
            of = (receipt.order_id, receipt.mark)
            if receipt.live:
                live.setdefault(of, receipt.at)
            else:
                given.add(of)
    delays = sorted((live[of] - at) * 1000 for of, at in sent.items() if of in live)
    silent = [of for of in sent if of not in live and of not in given]
    heard = {*live, *given}
    passed = [of for of in silent if happening is Happening.POSITION and _is_overtaken(of, heard)]
    told = Counter(
        (receipt.order_id, receipt.sequence)
        for receipt in noted.receipts
        if receipt.happening == happening
    )
    return {
        "sent": len(sent),
        "live": len(delays),
        "givenBack": sum(of in given and of not in live for of in sent),
        "passed": len(passed),
        "lost": len(silent) - len(passed),
        "twice": sum(number > 1 for number in told.values()),
        "toOthers": sum(
            receipt.about != receipt.order_id
            for receipt in noted.receipts
            if receipt.happening == happening
        ),
        **{f"p{percent}Ms": _at(delays, percent / 100) for percent in (50, 95, 99)},
        "worstMs": _at(delays, 1.0),
    }


def _is_overtaken(of: tuple[str, str], heard: Collection[tuple[str, str]]) -> bool:
    order_id, mark = of
    return any(other == order_id and later > mark for other, later in heard)


def _at(ranked: Sequence[float], share: float) -> float | None:
    if not ranked:
        return None
    return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1)
