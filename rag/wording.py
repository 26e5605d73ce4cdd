"""Which words may stand for each other and which are opposed, in English: word groups and directions. Pure.

Word groups and directions are closed lists of general English, kept short: a word that is in none of them counts only
as itself. They were written for the language of abstracts, not for any collection.
"""

from functools import lru_cache

from rag.terms import terms

# Words that may stand for each other. What also says a direction stands in _AXES.
_GROUPS = """
use used employ utilise utilize apply rely exploit adopt
method technique approach procedure device way
show demonstrate find found report observe see saw reveal
result outcome finding
test evaluate assess examine measure investigate study
system model network
propose introduce present suggest describe put forward
person people human individual participant subject patient
paper article work
value score rate
make made build built construct create
require need
contain hold held consist comprise include has
begin began start
end stop finish conclude
take took last
reach achieve attain obtain get got
error mistake
choose chose select pick
predict forecast
estimate estimated calculate compute
allow enable let permit
about approximately roughly around nearly
almost nearly close
mainly mostly primarily largely chiefly
strongly drastically greatly considerably substantially much
quick fast rapid
several various multiple many
dataset data corpus collection
part share portion fraction proportion
size scale
know known
link connect join
arise occur appear emerge happen
die died death dead mortality
car vehicle
doctor physician
drug medication
heart cardiac coronary
infarction attack
brain cerebral
image picture photograph
word token
answer response reply respond
query
train training trained
learn learned learning
equal equivalent
yearly annual
entire whole full total
former previous earlier
fix correct mend
error fault
cost price expense
get obtain gain
give gave provide supply
think believe
want wish
buy purchase
help aid assist
big large
mass weight
diameter across wide
surprise surprising surprisingly unexpected unexpectedly
deliberate purpose intentional
work function operate
quadratic square squared
half halve halved
double twice doubled
acquire contract
treat treatment therapy
mean average averaged median
cut reduce
convert turn transform
transmit send sent
stay remain
chance probability likelihood odds
occasional sometimes time
judge rate rating
vary range
limit bound boundary
replace substitute
leave left
store keep kept save
divide split separate
combine merge unite integrate
examine inspect look
change alter modify shift
copy replicate duplicate
delete erase
error inaccuracy
location place site position
start onset
area region zone
goal objective aim
benefit gain
kind type sort
child children infant
woman women female
illness disease disorder sickness
physician clinician
hospital clinic
trigger spark
spread disseminate distribute
speed velocity
pace rate
wage salary pay
job employment work
firm company enterprise
country nation
citizen resident
vote ballot
learner student pupil
teacher instructor
author researcher scientist investigator
sign evidence indication
test trial experiment
hypothesis conjecture
theorem result
graph network
vertex node
cell unit
gene genetic
tumour cancer
medicine medical
star stellar
sun solar
planet planetary
machine computer
program software
store shop
price cost
trade exchange
sum total
loss decrease
mistake blunder
annual year
month monthly
day daily
"""
# Lines of poles: a word of one pole stands against every other pole of its line.
_AXES = """
increase raise rise rose risen grow grew grown climb boost up upward gain higher more \
| decrease reduce fall fell fallen drop decline shrink diminish down downward lower less cut loss
more greater larger higher bigger high large above exceed over | less fewer smaller lower low small below under
better best outperform beat exceed surpass superior improve ahead win won defeat above \
| worse worst underperform trail lag inferior worsen degrade behind lose lost below
before earlier prior precede previous | after later subsequent follow afterwards
early earlier earliest immediate immediately | late later latest delay delayed
fast faster quick rapid accelerate | slow slower decelerate delay
long longer lengthen extend | short shorter shorten
strong stronger strengthen | weak weaker weaken
warm hot warmer heat | cold cool cooler
north northern | south southern
east eastern | west western
positive | negative
support confirm prove verify accept favour agree | refute reject contradict disprove disfavour oppose exclude
cause induce promote trigger produce create lead | prevent inhibit block avoid suppress protect stop
add include insert | remove exclude omit
gain gained win won | lose lost loss
same equal identical alike unchanged | different distinct differ unequal
always | never
all every each both | none neither no
easy easier simple | hard harder difficult
male men man boy | female women woman girl
minimum minimal least lowest | maximum maximal most highest
upper | lower
inside inner inward interior | outside outer outward exterior
front anterior | back posterior
left | right
open opened | close closed shut
independent | dependent depend
supervised | unsupervised | self-supervised
labelled labeled | unlabelled unlabeled
random randomised randomized | deterministic
success successful succeed | fail failure failed unsuccessful
safe safety | danger dangerous harmful unsafe
common frequent often usual | rare rarely seldom infrequent unusual
true correct right | false wrong incorrect
linear linearly | quadratic quadratically square | cubic | exponential exponentially | logarithmic
deep deeper | shallow shallower
young younger | old older
rich richer | poor poorer
dense denser | sparse sparser
cheap cheaper inexpensive | costly expensive dear
benefit beneficial advantage helpful | harm harmful disadvantage
present presence | absent absence
exact exactly | approximate approximately
local locally | global globally
parallel | sequential sequentially
forward | backward
input | output
encoder encode | decoder decode
top | bottom
start begin | end finish
first | last
create build form | destroy destroyed break
survive survival alive live | die died death
near nearby nearer close closer | far farther distant remote
wide widen broad | narrow
heavy heavier | light lighter
full fully complete completely entire entirely | partial partially partly incomplete
stable stability | unstable instability
necessary required need | unnecessary
sufficient enough | insufficient
possible able can | impossible unable cannot
active activate | inactive deactivate
treated treatment | untreated control placebo
precision | recall
sensitivity | specificity
mother maternal | father paternal
day | night
summer | winter
spring | autumn
land | sea ocean
import | export
buy | sell
"""
# Words that any abstract may be told with: they name nothing of its subject.
_PLAIN = """
able about accord account achieve across act actual add addition additionally address adopt affect aid aim allow
almost alone along already also alternative although altogether always among amongst amount analysis another apart
apparently appear application apply approach around article as aspect associate assume at attain attempt attribute
author available average aware base based basis become begin behind being belong beside besides between beyond both
bring broad broadly build but calculate call can cannot capable carry case cause central certain change characterise
choose claim class clear clearly close collection combine come common comparable compare comparison complete
comprise compute concern concerning conclude conclusion condition conduct consequence consequently consider
considerable consist constitute contain context continue contrast contribute conventional conversely correspond
corresponding could count cover create current currently cut data deal define degree deliver demonstrate depend
derive describe design despite detail determine develop development device difference different difficult directly
discuss display distinct do drawback drop due during each effect effective either element emerge employ enable end
enhance enjoy ensure entail entire entity especially essentially establish estimate even eventually every evidence
evidently exact exactly examine example exceed exhibit exist expect experiment explain exploit explore express
extent fact factor fall far feasible feature figure final finally find finding first fit focus follow following form
former found framework frequently from full fully function further furthermore gain general generally generate get
give given go good great group grow half hand happen have help hence here hold how however idea identify illustrate
implement imply important improve include including indeed indicate individual information initial initially
instance instead interest introduce investigate involve issue it itself jointly keep key kind know known lack large
largely later latter lead least leave less let level lie like likewise limit limitation line list little long look
lose made main mainly make manner many match matter mean means measure mechanism mention merely method might minus
model more moreover most mostly much must namely nature near nearly necessary need never nevertheless new next not
notably note notice now number observe obtain occur of often on once one only open operate order original other
otherwise out outcome over overall overcome owing own paper part particular particularly pattern per perform
performance place play plus point position possible potential practically practice present previous previously
primarily problem procedure proceed process produce product promise propose prove provide purely purpose put
question quite range rather reach read real reason recent recently record regard regarding relate relation relative
relatively relevant rely remain remainder report represent require requirement research researcher respect
respective respectively result reveal rise role roughly run same sample scheme second see seem separate series serve
set setting settle several shape share short should show side significant similar similarly simple simply since
single situation size small so solely some source specific specifically stand start state statement step still
strategy structure study subject subsequent subsequently substantial such suffer sufficient suggest suit suitable
supply support surprisingly system take task team technique tell tend term test thanks then there thereby therefore
thing think this though through throughout thus time together too total toward trade turn two type typical typically
ultimately under undergo understand unexpected unit unlike up upon use useful usual usually value variety various
vary version versus very via view want way well were what when where whereas whereby wherein whether which while who
whole whose why wide within without work world would year yet yield
"""
_NOT_TURNED = frozenset(["improv", "inform", "include", "display", "discov", "distribut", "import", "impress"])


@lru_cache(maxsize=1)
def plain_words() -> frozenset[str]:
    """The stems of words that name nothing of a subject."""
    return frozenset(terms(_PLAIN))


@lru_cache(maxsize=1)
def groups() -> dict[str, frozenset[int]]:
    """The groups that each stem belongs to, by number; poles are groups too."""
    found: dict[str, set[int]] = {}
    lines = [*_GROUPS.strip().splitlines(), *(pole for line in _AXES.strip().splitlines() for pole in line.split("|"))]
    for number, line in enumerate(lines):
        for stem in terms(line):
            found.setdefault(stem, set()).add(number)
    return {stem: frozenset(numbers) for stem, numbers in found.items()}


@lru_cache(maxsize=1)
def poles() -> dict[str, dict[int, frozenset[int]]]:
    """For each stem with a direction: axis -> its poles there."""
    found: dict[str, dict[int, set[int]]] = {}
    for axis, line in enumerate(_AXES.strip().splitlines()):
        for pole, words in enumerate(line.split("|")):
            for stem in terms(words):
                found.setdefault(stem, {}).setdefault(axis, set()).add(pole)
    return {stem: {axis: frozenset(at) for axis, at in axes.items()} for stem, axes in found.items()}


@lru_cache(maxsize=1 << 17)
def alike(one: str, other: str) -> bool:
    """Whether two stems may stand for the same: equal, of one group, or of one root."""
    if one == other:
        return True
    known = groups()
    if known.get(one, frozenset()) & known.get(other, frozenset()):
        return True
    return _one_root(one, other) and not opposed(one, other)


def _one_root(one: str, other: str) -> bool:
    """`normal` and `normalis`: a long common beginning; numbers and short words have no root."""
    short, long = sorted((one, other), key=len)
    if len(short) < 5 or not (one.isalpha() and other.isalpha()):
        return False
    common = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return common >= max(5, 0.75 * len(short)) and len(long) - common <= 4


@lru_cache(maxsize=1 << 17)
def opposed(one: str, other: str) -> bool:
    """Whether two stems stand on different poles of an axis, and on no pole together."""
    for base, turned in ((one, other), (other, one)):
        if len(base) >= 4 and turned in (f"un{base}", f"in{base}", f"im{base}", f"non{base}", f"dis{base}"):
            return turned not in _NOT_TURNED
    first, second = poles().get(one, {}), poles().get(other, {})
    shared = first.keys() & second.keys()
    return bool(shared) and all(not first[axis] & second[axis] for axis in shared)
