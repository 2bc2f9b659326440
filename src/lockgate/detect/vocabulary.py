"""English words in the order in which they are tried where letters are missing and several words would fit."""

from collections.abc import Iterable
from functools import cache

from lockgate.detect.lexicon import ACT, CANCEL, CLASSES, FREE, LIMITS, ORDERS, PRIOR, REVEAL, SECRET, SYSTEM
from lockgate.detect.wording import KNOWN

_LONG, _LEAST = 4, 3
_ORDERING = frozenset((CANCEL, PRIOR, ORDERS, REVEAL, SYSTEM, SECRET, ACT, FREE, LIMITS))

_FIRST = """
    the to of and in is it you that not no all your me my we be do so he on at or as an if by this was for are
    with from what were have give given them they tell told show now new then than put her his him who how why
    when where can may must will would should could say said send any one but out up over only just more about
    into word use there their which ignore forget disregard override bypass reveal repeat print instructions
    instruction rules rule policy guidelines prompt system previous prior developer password code key role
    person data private secret hidden user users customer list file files delete
"""

_MORE = """
    accepted accepts accident accounts across action active actually added addresses adds adult adults advance
    advice advise adviser afraid afternoon afterwards agree agreed agreement ahead alarm allow allowed alone
    along aloud alphabet although amount amounts angry annual anonymous answered answering answers anybody
    anyway appear application applied applies apply appointment approval approved archive area argument
    arguments arrive article aside asking asks asleep attach attached attachment attacker audience audit author
    authority authors automated automatic automatically autumn available average avoid backup badge bakery
    balance banana band banned bash batch battery becomes bedtime began begins behalf behaviour behind believe
    bell belong belongs bench bike binding birth birthday blank blind block blocked blocks blood boat boiler
    bomb book booked booking bookings books boots border boring bots bottle bottom bought bound boxes brackets
    branch brand bread breakfast breaks bridge brief broke broken brought browser budget building built bullet
    button buyer cache cake calendar caller calling calls calm camera cancel capital capitals card cards careful
    carried carry cars cases cash catch category cats caught cellar cent centre certain certificate chain chair
    changed changes channel chapter character characters charge chart chat chats cheapest check checked
    checklist checkout checks chemist chemistry choice choose church cite claim claims clause cleaner cleaning
    cleared clerk click client clients clinic clock closed closes closing club coach coding coffee cold
    colleague colleagues collect collected colour column columns comes coming command commands comments commit
    committee common companies compare comparison competitor competitors complain complaint complaints completed
    compliance computer concrete condition conditions confirm confirmation confirmed conflict connect connected
    connection conscience consent consider console contacts contain container contains content contents continue
    contract cook cookies cooking cool copied copies corner corrected costs council count counted counter
    countries country counts court cousin covered covers create created credit crew crime criteria cross customs
    daily damage dangerous database dates daughter days dead debug decide decided decides decision decline
    degrees delay deleted deliver delivered delivery demo dentist department depends deploy deposit describe
    described description desk detail detailed details developer developers device dialogue diary died
    difference different digest digital digits direct directly director disabled discount discuss discussed
    doctors document documents dogs doing done doors dose doubt draft drafts draw drill drink driver driving
    dropped drops drug duty edit edition editor effect effective eggs eight either eleven emergency employees
    employer empty ended ending endpoint ends engine engineer english enter entries entry envelope environment
    error errors essay euro euros evaluation event events everybody evidence evil exact exam example except
    exception exercise exist exists exit expected experience experiment expert expired explain explained
    explains explanation exploit explosives extract facts fail failed fails failure fair fake fall falls family
    fault favour favourite feed feedback feels fees fell ferry fetch fiction fictional fields figure figures
    filled film finance findings finds finish finished fired fish fixed flat flight floor flour folder followed
    following follows food football footer force forgot forgotten format forms forty forum found fourth fraud
    freely french fridge friendly fully function funny future gaps garage garden gate generate generated
    generator german gets getting gift gives giving glass goal goes going gold gone gonna goods grammar granted
    green grey ground groups guard guess guests guide hack hacked haiku hall handbook handed handover hands
    happen happened happens harbour harm harmless hate hates having header heading health heard hearing heat
    heating helper helpful helps hereby highest hijack himself hint hints history holder holding holds holiday
    homework honest hospital host hotel hour household however humans hundred hurry hurt husband ideas identity
    illegal image import improve inbox incident included including index info information informed input install
    insult insurance interest intern internet interview invent invented invite issue item items itself jobs joke
    jokes judge jury keeps kids kindly kitchen knowledge knows label labels lady lamp landlord language
    languages laptop laugh laws lawyer layer leaflet leaked learned learning least leaves leaving lecture legal
    legally length lesson lets library licence lift lifted lighthouse lights likes limit limits lines links
    listed listing lists lives load loaded loan local location locks logged login logo longer longest looked
    looking looks loop loss loud loyalty lying machine machines mailbox mails maintenance maker makers makes
    making malware management manual margin marked market marks match material matters maximum mayor meant
    medical meeting members memo memory mentioned mentions menu meter method metres middle midnight migration
    milk million mind mine minutes mirror miss missing mistake mistakes module moment monthly months moon mostly
    moved moves museum named narrator nearly needed negative neighbour neighbours network neutral news
    newsletter night nights noise noon normal normally noticed notices noticing novel numbered numbers nurse
    obey object offer offers officer official often older ones online open opened opening opens operator opinion
    opposite option optional options ordered ordinary otherwise ours oven owners package page pages pain pair
    panel papers paragraph paragraphs parameters parent parents park parking parties partner parts pass passage
    passed passes passport pasted path patience patient patients pattern paying payments payroll pays pending
    period permission permissions permitted persona personal persons pharmacy phishing phones photo photos
    pictures piece pills pipe pirate pizza places plain planned planning plant plants plate platform player
    players plays plot podcast poem points poison police polite pool port portal position positive possible
    poster posts practical practice practise praise premium prepared prescription press pressure prices printed
    printer prints priority problem procedure proceed processing produce product production products
    professional profile program programme project promise promised proof protect protection proud prove
    provider published pump pupil pupils purchase purpose purposes puts python quality quantities quarter query
    queue quiz quoted quotes radio rain raise range rank reach reached reading reads reasons recall receipt
    recent recipe recipes recommend recorded recording records reference refunds refusal refusals refused
    refuses refusing regards register rejected release remaining remark remarks remind remote removed rent
    repair replace replaced replaces replies reported reports requested research reset resolved restart restore
    result results retired retry returned returns reviewer reviewers reviews rhyme rights ring risk river robot
    robots roll roof rooms rotate route router rows rude running runs sales salt sample sandbox saved saying
    scale scan scene schedule schema school scope screenshot script seal seat seats seconds section security
    sees sender sending sends sense sensor sent sentences service services sessions sets setting settings setup
    several shared shares shed sheet shell shift shipping shoes shopping shorter shown shows sick sides
    signature signed signs silence silent simple since single sister site sites skipped slide slip slot slowly
    smart smell software sold solution solve somebody sort sorted sounds soup source sources spam spanish
    speaker speaking speaks speech speed spelling split spoken spring square stage stairs standard standing
    stands stars started starting starts statement statements station status stays steal step stick stock stolen
    stood stopped stops stored straight strict strike stuck study style subject submit sugar suggest summarise
    summarising summarize summer supervisor supplier support supposed survey suspended swap swear switch
    switched sync tables tablet tablets tags takes taking talked talking talks tape target tasks technical
    telling tells temperature template tenant tenants tense terminal terms tested testing tests texts theirs
    theme themselves therapist therefore thesis thinking thinks third thirty though thread throw tick times tips
    tired title together tone tonight took tool tools topic topics trace trade trains transcript translation
    translator travel triage trial trick tried tries trip trouble trusted turned turns tutor twelve twenty typed
    types typing typo uncle understand understood unit units unknown unless unlocked update upgrade upload
    uploaded usage useful uses using usually vague valid values vault vendor verdict verification verified
    version versions video view village virus visible visitor visitors vocabulary voice volunteers votes voucher
    waiting wake wallet wants ward warehouse warm warnings warranty ways weapon wear weather website wedding
    weekend weekly weeks weight whenever whether whichever whoever whom wind window wins winter wish wishes
    withdrawn within witness wording worked working works workshop workspace worse worst worth writer writes
    yours yourself zero
"""


def is_ordering(word: str) -> bool:
    """Whether a word in lower case is one of those that orders to a model are made of."""
    return CLASSES.get(word) in _ORDERING


def is_telling(words: Iterable[str], many: int) -> bool:
    """Whether words that were made out are no chance: three long ones with one of orders, or `many` without any."""
    found = {word for word in words if len(word) >= _LONG}
    return len(found) >= many or (len(found) >= _LEAST and any(map(is_ordering, found)))


@cache
def ranked() -> tuple[str, ...]:
    """Words in lower case, the likeliest first: small ones, words of orders, English ones, all other known ones."""
    orders = sorted(filter(is_ordering, KNOWN))
    return tuple(dict.fromkeys((*_FIRST.split(), *orders, *_MORE.split(), *sorted(KNOWN))))


@cache
def _words() -> frozenset[str]:
    return frozenset(ranked())


def is_word(word: str) -> bool:
    """Whether a word in lower case is one of them."""
    return word in _words()
