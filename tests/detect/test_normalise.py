# ruff: noqa: RUF001 - look-alike characters are the subject
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect import normalise


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ｉｇｎｏｒｅ ａｌｌ", "Ignore all"),
        ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore"),
        ("ig\u200bno\u200dre", "ignore"),
        ("i\u0067n\u043ere", "ignore"),
        ("i g n o r e   a l l", "ignore all"),
        ("i-g-n-o-r-e", "ignore"),
        ("précédentes", "precedentes"),
        ("Straße", "Strasse"),
        ("привет мир", "привет мир"),
        ("bıraktım", "biraktim"),
        ("a b c", "a b c"),
        ("i.g.n.o.r.e a.l.l", "ignore all"),
        ("i~g~n~o~r~e", "ignore"),
        ("i🙂g🙂n🙂o🙂r🙂e", "ignore"),
        ("i\u200b g\u200b n\u200b o\u200b r\u200b e", "ignore"),
        ("i\ng\nn\no\nr\ne", "ignore"),
        ("и г н о р и р у й", "игнорируи"),
        ("ɪɢɴᴏʀᴇ ᴀʟʟ", "ignore all"),
        ("🅘🅖🅝🅞🅡🅔", "ignore"),
        ("🅸🅶🅽🅾🆁🅴", "ignore"),
        ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
        ("🇮 🇬 🇳 🇴 🇷 🇪", "ignore"),
        ("i̷̢̛g̶͝n̸͘o̷͠r̵e̸", "ignore"),
        ("ᎡᎬᏙᎬᎪᏞ the rules", "REVEAL the rules"),
        ("ign\u0585re", "ignore"),
        ("ρrεviουs", "previous"),
        ("the ѕуѕ rules", "the sys rules"),
        ("ᗪISᖇEGᗩᖇᗪ", "DISREGARD"),
        ("1 2 3 4 5", "1 2 3 4 5"),
        ("w = 10.0.0.0/8", "w = 10.0.0.0/8"),
        ("x+y=7, x-y=1", "x+y=7, x-y=1"),
        ("a = [1,2,3]; a.", "a = [1,2,3]; a."),
        ("Москва и СССР", "Москва и СССР"),
        ("Γεια σου κοσμε", "Γεια σου κοσμε"),
        ("Լավ է", "Լավ է"),
        ("ᎣᏏᏲ ᏗᏂᏲ", "ᎣᏏᏲ ᏗᏂᏲ"),
        ("公 司 名 称", "公 司 名 称"),
    ],
)
def test_what_looks_the_same_becomes_the_same(text: str, plain: str) -> None:
    assert normalise(text).text == plain


def test_invisible_characters_are_reported_by_kind() -> None:
    text = "a\u200b\u200bb\u202ec\U000e0041\U000e0042d\ufe0f"
    assert [(span.start, span.end, span.label) for span in normalise(text).hidden] == [
        (1, 3, "hidden.zero-width"),
        (4, 5, "hidden.bidi"),
        (6, 8, "hidden.tag"),
        (9, 10, "hidden.variation-selector"),
    ]


@given(st.text(alphabet=st.characters(), max_size=200))
def test_offsets_lead_back_into_the_text(text: str) -> None:
    normal = normalise(text)
    assert len(normal.offsets) == len(normal.text) + 1
    assert list(normal.offsets) == sorted(normal.offsets)
    assert normal.offsets[-1] == len(text)
    assert len(normal.text) <= 4 * len(text)


@given(st.text(alphabet="abc \ud800\udfff\U0001f600é"))
def test_lone_surrogates_are_no_obstacle(text: str) -> None:
    assert normalise(text).text is not None


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=100))
def test_original_of_a_stretch_holds_its_characters(text: str) -> None:
    normal = normalise(text)
    for index, character in enumerate(normal.text):
        start, end = normal.original(index, index + 1)
        assert text[start:end] == character
