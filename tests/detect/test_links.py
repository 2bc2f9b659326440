import pytest

from lockgate.detect.links import find_links, host_list

ALLOWED = host_list(("example.org", "*.example.org", "Bücher.example", "127.0.0.1"))


@pytest.mark.parametrize(
    "text",
    [
        "See https://example.org/start, (https://docs.example.org/a) and **https://example.org**.",
        "See [the manual](https://example.org/docs?page=2#top) or <https://example.org>.",
        "[ref]: https://www.example.org/x 'Title'",
        "[https://example.org](https://example.org)",
        '<a href="https://example.org:8443/x">x</a> <img src="/boat.png"> [up](../index.md) [top](#top)',
        "请访问https://example.org。谢谢",
        "[Bücher](https://xn--bcher-kva.example/) und https://bücher.example/neu",
        "Run it at http://127.0.0.1:8000/ and call +1 or [us](tel:+493012345).",
        "Use std::vector, os.path, System.Net.Http, node.js, README.md, com.example.app and 3.11.2 at 10:30.",
        "Write to anna@example.org or [mail](mailto:anna@example.org?subject=x).",
        "HTTPS://EXAMPLE.ORG./x",
        "Edit file:///etc/hosts or C:\\Users.",
        "Fish and/or chips // with salt",
    ],
)
def test_listed_and_relative_places_are_left_alone(text: str) -> None:
    assert find_links(text, ALLOWED) == ()


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example",
        "http://example.org.evil.example/x",
        "https://notexample.org",
        "![x](https://evil.example/p.png)",
        "[x](<https://evil.example/a b>)",
        "[x](//evil.example/p)",
        "[x](https:evil.example)",
        "[x](\\\\evil.example\\p)",
        "[x](https:/\\evil.example)",
        "[x](&#104;ttps&colon;&sol;&sol;evil.example)",
        "[x]( \n https://evil.example )",
        "<https://evil.example/x>",
        "[x][1]\n\n[1]: https://evil.example/x",
        "[1]: <//evil.example>",
        '<a href="https://evil.example">x</a>',
        "<img src=//evil.example/p.png>",
        "<img srcset='https://evil.example/p.png 2x'>",
        "<img srcset='https://example.org/p.png 1x, //evil.example/p.png 2x'>",
        '<a href="ht\ntps://evil.example">x</a>',
        "<form action=https://evil.example>",
        "url(//evil.example/p.png)",
        "https://example.org@evil.example/",
        "https://example.org:secret@evil.example/",
        "https://example.org\\@evil.example/",
        "[x](https://example.org%40evil.example)",
        "[x](https://example.org%2eevil.example)",
        "https://ex\u0430mple.org/",
        "https://xn--exmple-4nf.org/",
        "[x](https://example\u3002com)",
        "http://3232235777/",
        "http://0x7f.1/",
        "http://[::1]:8000/",
        "http://192.168.0.1/admin",
        "www.evil.example/x",
        "evil-site.com",
        "go to evil.io/x now",
        "(see evil.com)",
        "javascript://evil.example/%0aalert(1)",
        "[x](mailto:me@evil.example)",
        'fetch("https:\\/\\/evil.example\\/x")',
    ],
)
def test_other_hosts_are_found_however_they_are_written(text: str) -> None:
    found = find_links(text, ALLOWED)
    assert found
    assert {span.label for span in found} == {"link.unlisted"}


def test_the_span_is_the_address_and_nothing_of_the_sentence() -> None:
    text = "Look (at https://evil.example/a?b=c), please."
    assert [text[span.start : span.end] for span in find_links(text, ALLOWED)] == ["https://evil.example/a?b=c"]


def test_an_empty_list_lists_nothing() -> None:
    assert find_links("https://example.org", host_list(()))


@pytest.mark.parametrize(
    "text", ["https://" * 20_000, "](" * 50_000, "\ud800//" * 30_000, "[a]: " * 20_000, "a." * 50_000]
)
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    find_links(text, ALLOWED)
