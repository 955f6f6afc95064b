"""The many ways of writing one street: "South 1st Street", "S. 1st St" and "s first st".

An address is compared in its shortest spelling and shown to a reader in its longest.
"""

import re

_LONG_OF_SHORT = {
    "Ave": "Avenue",
    "Blvd": "Boulevard",
    "Dr": "Drive",
    "Ln": "Lane",
    "Rd": "Road",
    "St": "Street",
    "N": "North",
    "S": "South",
    "E": "East",
    "W": "West",
}
_SHORT_OF_LONG = {long.casefold(): short.casefold() for short, long in _LONG_OF_SHORT.items()} | {
    "first": "1st",
    "sixth": "6th",
    "seventh": "7th",
    "eleventh": "11th",
    "twelfth": "12th",
    "texas": "tx",
    "apartment": "apt",
    "suite": "ste",
}
_WORD = re.compile(r"#|\w+")


def shortest(text: str) -> str:
    """`text` in lower case, without punctuation, every word as short as it is ever written."""
    words = _WORD.findall(text.casefold())
    return " ".join(_SHORT_OF_LONG.get(word, word) for word in words)


def longest(street: str) -> str:
    """A street's name with nothing abbreviated: "E 6th St" becomes "East 6th Street"."""
    return " ".join(_LONG_OF_SHORT.get(word, word) for word in street.split())
