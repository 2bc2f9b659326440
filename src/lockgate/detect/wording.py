"""Tells text from noise by the words that every text is full of."""

from collections.abc import Iterable
from functools import cache

from lockgate.detect.lexicon import CLASSES

_LONGEST = 14
_MIN_COUNTED = 3
_UNKNOWN_COST = 2.3
_MAX_LETTERS = 4000

# The most frequent words of a dozen languages in Latin letters, without accents.
_COMMON = """
    aan about above access account act add address admin after again against air akan ale all alla alle als also ama
    an anche and anda animal answer any anyone are as ask at ate att auch auf aus avec back bank be because been
    before bei being below between big bir bitte both boy bu build but by byl call came can cause ces cette change
    che cok come como con could cuando daha dan dans dari das dass dat data day degil dei del della delle dem den
    dengan der des desde det deze did die differ din dla do does don donde dos down during each earth een ein eine
    einen ela ele email end entre est esta este etre ett even every everything fait father few file files find first
    foi follow for form from full fur further get gibi give gli go good great haben had han hand har has hasta hat
    have he hello help her here het high him his home hon hot house how ich icin if ile in ini instead inte into is
    isso ist it its itu jag jak jest jouw just kann ke keep key keys kind know land large las last les let letter
    letters leurs light like line list little live long look los low ma maar made mais make man many mas may me mean
    med men mesmo met might mit model money more most mother move much muito must muy my naar nach name nao near
    need nel never new nicht nie niet no noch non nos not nothing nous now number nur och oder of off olarak old on
    once one only ook or oraz other our out over own pada para part pas pela pelo people per pero phone picture piu
    place play please plus point por pour przez put quando que questo qui quien read reply response right round
    sagen said same say saya secret see self sem semua send sentence set seu shall she should show sich side sie
    sind small so sobre som some something son sono sont sound spell start stop sua such sur sus tak take tego tell
    tem text than that the their them then there these they thing think this those three through tidak till time to
    today todo todos tomorrow too tout try tum turn tutto two twoje tym uma una und under une uno until untuk up us
    use user users van var ve very voce von voor votre vous want was water way we well went werden were what when
    where which while who why wie will wir wird with without won word words wordt work world would write wszystkie
    yang year you your zijn
"""


def _plain(word: str) -> bool:
    return word.isascii() and word.isalpha() and len(word) > 1


KNOWN: frozenset[str] = frozenset(filter(_plain, (*_COMMON.split(), *CLASSES)))
"""Words in lower case, ASCII letters only: the most frequent ones, and those of instructions to a model."""


def reads(words: Iterable[str], share: float) -> bool:
    """Whether at least `share` of the words are known ones of three letters and more, two different ones among them."""
    listed = list(words)
    hits = [word for word in listed if len(word) >= _MIN_COUNTED and word in KNOWN]
    return len(hits) >= max(2.0, share * len(listed)) and len(set(hits)) > 1


def segmented(letters: str) -> tuple[str, float]:
    """Put blanks between the words of letters that were written without any.

    Args:
        letters: ASCII letters in lower case; what lies behind the first 4,000 is left as it is.

    Returns:
        The words, and the share of the letters that stand in known words of three letters and more. The fewest words
        win that leave the fewest letters over.
    """
    head = letters[:_MAX_LETTERS]
    size = len(head)
    costs = [0.0] * (size + 1)
    steps = [1] * (size + 1)
    for start in range(size - 1, -1, -1):
        best, step = costs[start + 1] + _UNKNOWN_COST, 1
        for length in range(1, min(_LONGEST, size - start) + 1):
            cost = _word_cost(head[start : start + length])
            if cost and costs[start + length] + cost < best:
                best, step = costs[start + length] + cost, length
        costs[start], steps[start] = best, step
    words: list[str] = []
    known = position = 0
    rest = ""
    while position < size:
        word = head[position : position + steps[position]]
        position += steps[position]
        if not _word_cost(word):
            rest += word
            continue
        words.extend(filter(None, (rest, word)))
        rest = ""
        known += len(word) if len(word) >= _MIN_COUNTED else 0
    return " ".join((*words, rest + letters[size:])).strip(), known / max(size, 1)


@cache
def _short_costs() -> dict[str, float]:
    return {"a": 2.0, "i": 2.0} | {word: 1.6 for word in KNOWN if len(word) < _MIN_COUNTED}


def _word_cost(word: str) -> float:
    if len(word) < _MIN_COUNTED:
        return _short_costs().get(word, 0.0)
    return 1.0 if word in KNOWN else 0.0
