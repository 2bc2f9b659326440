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
    aan able about above accept access account act add address admin after again against ahora air akan ale algo all
    alla alle alles alors already als also always ama an anche and anda anderen animal another answer antwort
    antworten any anyone apart approve are around as asi ask asked at ate att auch aucune auf aunque aus aussi autre
    autres avant avec away back bad bank be because been before bei being below best besten better between bien big
    bill bir bist bitte black blue board body bonjour boss bot both box boy braucht break bring brother bu buen build
    business but buy by byl cada call came can candidate care casa case cause celui ces cette chance change chaque che
    cheap child children chose city class clean clear cliente clientes close cok color come comment como company con
    confirm contact control copy correct cosa cosas cost could course cover cuando customer customers daha dan danach
    dans dari dark das dass dat data date datos day dazu deal dear decir degil dei del delete della delle dem den
    dengan denn der des desde deshalb despues det deze dia did die dieser dieses differ din dinner dire dis dla do
    doch doctor does don donc donde door dort dos double down dream drive drop durch during each early earth easy eat
    een ein eine einen eines einfach ela ele ella elle ellos email employee end enough entonces entre envoie eres erst
    esa ese eso est esta estan este etre ett etwas even evening ever every everything evil expect eyes face fact faire
    fait false fast father faut feel few field file filed files fill fin final find fine fire firm first five flag foi
    follow for forge form four frage fragen freund friend friends from front fue fuera full fur further game geben
    gegen gehen geht geld genau general gesagt get gibi girl give gli go good got gracias grade grant great group
    guest gut habe haben hace hacer had half han hand happy har hard has hast hasta hat have haz he head hear heart
    held hello help her here het heute hide hier high him hire his hola hold home hon hope hot hours house how human
    ich icin idea if ihm ile ils immer important in ini inside instead inte into invoice invoices is isso ist it its
    itu jag jak jede jeden jeder jest job join jouw just juste kann ke keep kept key keys kill kind knew know known
    kommt konnen kunden kundenliste land large las lass lassen last late later law lead learn leave left les less let
    letter letters letting leur leurs leute level lie liebe lies life light like line link list lista liste listen
    little live living lock locked logs long look los lose lost lot love low lower lui lunch ma maar machen made main
    mais make man manager many mark mas matter may maybe me mean med meet mehr meine meinen mejor member men menos
    merge mes mesmo met mettre mi might minute mis mit model moins money month more morning most mother move much
    mucho muito music muss must muy my myself naar nach nada nadie name names nao near need nein nel neu never new
    next nice nicht nie niet nine no noch nom nombre non north nos not note notes nothing nous now number nunca nur
    oben och oder of off office ohne okay olarak old on once one only ook or orange oraz order orders other otra otro
    our out outside ouvre over own owner pada paid paper para parcel part party pas passe past pay payment pela pelo
    people per pero person personne peu peut phone pick picture pink piu place plan play played please plus poco point
    poor por post pound pour power present price private przez public puede puedes puis pull push put quando que quel
    quelle question questions questo qui quick quien quiet quita quite rate rating read ready real really reason
    record red refund regel regeln regle regles reject remember remove repeat reply report response rest return review
    rich rien right road room round rule rules run sabe safe safety sag sage sagen sagst said salary sale same save
    say saya schick schreib score screen search second secret see seen sehr sein seine self sell sem semua send
    sentence ser serve server ses session set seu seven shall share she ship shop short should show shut sich side sie
    siempre sign sind sino six size skip sky sleep slow small so sobre sofort sois soit sollen solved som some someone
    something son sono sont soon sorry sound sous south space spater speak spell staff stand star start state stay
    steal steps still stop store story street strong student students stuff sua such summary sun supply sur sure sus
    table tak take taken talk tanto teach teacher team tego tell tem ten tes test text texte than thank thanks that
    the their them then there these they thing things think this those thought three through ticket tickets tidak
    tiene tienes till time to toda todas today todo todos toi tomorrow ton too top total touch toujours tous tout town
    train transfer treat tree trop true trust truth try tum tun turn tus tutto twice two twoje tym uber uma una und
    under une unlock uno unser unten until untuk up upon us use used user users usual value van var ve vergiss verify
    vers very vida viel vient visit voce von voor vos vote votre vous voy vrai wait walk wall wann want wanted warn
    warum was watch water way we week weil weiter welche welcome well wenn went werden were west what whatever when
    where which while white who whole whose why wie wife will win wir wird wire wissen with without wollen woman women
    won word words wordt work world would write wrong wszystkie yang year years yellow yes yesterday you young your
    zeig zeige zijn zuerst
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
