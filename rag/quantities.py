"""Numbers with their units and bounds, written in one way: `five percent` and `5%`, `5 ms`, `< 5`, `5-10%`. Pure."""

import re
from functools import lru_cache

_ONES = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
    """.split()  # noqa: SIM905
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
_VALUES = {word: i for i, word in enumerate(_ONES)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
# "One" is a pronoun too: it stays a word.
_NUMBER_WORD = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<ones>{'|'.join(_ONES[1:10])}))?"
    rf"|(?P<single>{'|'.join(word for word in _ONES if word != 'one')}))\b(?!-and\b)",
    re.IGNORECASE,
)
_BOUNDS = (
    (r"(?:more|greater|higher|larger|longer) than", ">"),
    (r"(?:less|fewer|lower|smaller|shorter) than", "<"),
    ("(?:at least|no (?:less|fewer) than)", "\u2265"),
    ("(?:at most|no more than|not more than)", "\u2264"),
)
_UNITS = {
    "ms": "milliseconds", "ns": "nanoseconds", "us": "microseconds", "min": "minutes", "hrs?": "hours", "h": "hours",
    "km": "kilometres", "cm": "centimetres", "mm": "millimetres", "nm": "nanometres", "kg": "kilograms",
    "mg": "milligrams", "ml": "millilitres",
}  # fmt: skip


@lru_cache(maxsize=1 << 12)
def levelled(text: str) -> str:
    """The text with each quantity written in one way: `five percent` and `5%`, `5 ms`, `less than 5`, `5-10%`."""
    text = _NUMBER_WORD.sub(_digits, text)
    text = re.sub(r"(?<=\d)\s*(?:\\?%|per\s?cent\b)", "%", text)
    for words, sign in _BOUNDS:
        text = re.sub(rf"\b{words} (?=[$\u20ac\u00a3]?\d)", sign, text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=\d)[ -]?(?:fold|times|x)\b(?! (?:\d|in\b))", "-fold", text)
    text = re.sub(r"(?<![\w.,-])(\d+(?:\.\d+)?) (to|and|or) (?=\d+(?:\.\d+)?-fold)", r"\1-fold \2 ", text)
    for short, long in _UNITS.items():
        text = re.sub(rf"(?<=\d)[ -]?{short}\b(?![/\u00b7^])", f" {long}", text)
    # "5-10%" and "5% to 10%" are "5% to 10%".
    text = re.sub(r"(?<![\d.,-])(\d+(?:\.\d+)?)\s?[-\u2013]\s?(\d+(?:\.\d+)?)(?![\d-])", r"\1 to \2", text)
    return re.sub(r"(?<![\w.,-])(\d+(?:\.\d+)?) (to|and|or) (\d+(?:\.\d+)?)%", r"\1% \2 \3%", text)


def _digits(found: re.Match[str]) -> str:
    if found["single"]:
        return str(_VALUES[found["single"].lower()])
    return str(_VALUES[found["tens"].lower()] + (_VALUES[found["ones"].lower()] if found["ones"] else 0))
