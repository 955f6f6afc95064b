"""What people choose to hear of is what they hear of, however little of it is kept."""

from hypothesis import given
from hypothesis import strategies as st

from domain.preferences import DEFAULTS, Channel, Choices, Event, chosen, otherwise

CHOICES: st.SearchStrategy[Choices] = st.fixed_dictionaries(
    {
        event: st.fixed_dictionaries({channel: st.booleans() for channel in Channel})
        for event in Event
    }
)


@given(CHOICES)
def test_what_was_chosen_is_what_holds(choices: Choices) -> None:
    assert chosen(otherwise(choices)) == choices


@given(CHOICES)
def test_nothing_is_kept_that_is_as_usual(choices: Choices) -> None:
    for event, channels in otherwise(choices).items():
        assert channels
        for channel, wanted in channels.items():
            assert wanted is not DEFAULTS[Event(event)][Channel(channel)]


def test_whoever_never_chose_is_told_of_everything_in_the_app() -> None:
    assert chosen({}) == DEFAULTS
    assert all(channels[Channel.IN_APP] for channels in DEFAULTS.values())
    assert not any(channels[Channel.SMS] for channels in DEFAULTS.values())
