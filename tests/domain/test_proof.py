"""What an order that was handed over has to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.photos import PhotoType, photo_type
from domain.proof import MOST_WRONG_CODES, Asked, ProofKind, Verdict, judge

V = Verdict
codes = st.from_regex(r"[0-9]{4}", fullmatch=True)


def asked(kind: ProofKind, *, wrong: int = 0, has_photo: bool = False) -> Asked:
    return Asked(
        kind,
        "4711" if kind is ProofKind.CODE else None,
        frozenset(f"{number:04d}" for number in range(wrong)),
        has_photo,
    )


@pytest.mark.parametrize(
    ("what", "code", "verdict"),
    [
        (asked(ProofKind.CODE), "4711", V.BY_CODE),
        (asked(ProofKind.CODE), "4712", V.WRONG_CODE),
        (asked(ProofKind.CODE), None, V.CODE_NEEDED),
        (asked(ProofKind.CODE, has_photo=True), None, V.CODE_NEEDED),
        (asked(ProofKind.CODE, wrong=4), "4711", V.BY_CODE),
        (asked(ProofKind.CODE, wrong=5), "4711", V.PHOTO_NEEDED),
        (asked(ProofKind.CODE, wrong=5, has_photo=True), None, V.BY_PHOTO),
        (asked(ProofKind.PHOTO), None, V.PHOTO_NEEDED),
        (asked(ProofKind.PHOTO), "4711", V.PHOTO_NEEDED),
        (asked(ProofKind.PHOTO, has_photo=True), None, V.BY_PHOTO),
        (asked(ProofKind.NONE), None, V.BY_WORD),
        (asked(ProofKind.NONE, has_photo=True), None, V.BY_PHOTO),
    ],
)
def test_each_order_gets_what_it_asked_for(what: Asked, code: str | None, verdict: V) -> None:
    assert judge(what, code) is verdict


@given(code=codes, guesses=st.lists(codes, max_size=20))
def test_nobody_guesses_more_often_than_he_may(code: str, guesses: list[str]) -> None:
    wrong: set[str] = set()
    for guess in guesses:
        verdict = judge(Asked(ProofKind.CODE, code, frozenset(wrong), has_photo=False), guess)
        if verdict is V.WRONG_CODE:
            wrong.add(guess)
        assert (verdict is V.BY_CODE) == (guess == code and len(wrong) < MOST_WRONG_CODES)
    assert len(wrong) <= MOST_WRONG_CODES


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", PhotoType.JPEG),
        (b"\x89PNG\r\n\x1a\n\x00", PhotoType.PNG),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", PhotoType.WEBP),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"<html><script>alert(1)</script>", None),
        (b"GIF89a", None),
        (b"%PDF-1.7", None),
        (b"\xff\xd8", None),
        (b"", None),
    ],
)
def test_a_picture_is_told_by_its_bytes(content: bytes, kind: PhotoType | None) -> None:
    assert photo_type(content) is kind


def test_files_are_named_by_what_they_are() -> None:
    assert [kind.suffix for kind in PhotoType] == ["jpg", "png", "webp"]
