r"""LaTeX -> the plain text that a reader sees, as far as words and numbers go. Pure.

No parser: abstracts hold fragments (`$\mu$`, `\textit{...}`, `10^{-5}`, `\'e`), often cut or half converted. Exponents
keep their `^`, so that `10^{-5}` never becomes another number; a lower index joins its letter as in CO2.
"""

import re
import unicodedata

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
_LETTERS = {
    "ss": "ß", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "aa": "å",
    "AA": "Å", "i": "i", "j": "j", "ell": "l", "hbar": "h",
}  # fmt: skip
_SIGNS = {
    "times": "×", "cdot": "·", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "leqslant": "≤", "geq": "≥", "ge": "≥",
    "geqslant": "≥", "lt": "<", "gt": ">", "neq": "≠",
    "ne": "≠", "approx": "≈", "sim": "~", "to": "→", "rightarrow": "→", "leftarrow": "←", "circ": "°", "infty": "∞",
    "degree": "°", "ldots": "…", "dots": "…", "cdots": "…", "textasciitilde": "~", "textdegree": "°",
}  # fmt: skip
# Functions are words; what only sets type is nothing. Any other command may be a name of the authors' own: kept.
_FUNCTIONS = frozenset("log ln exp sin cos tan max min sup inf lim arg argmax argmin det dim ker Pr gcd".split())  # noqa: SIM905
_TYPE = frozenset(
    """
    em bf it sc tt rm sf sl tiny small normalsize large Large LARGE huge displaystyle textstyle scriptstyle left right
    big Big bigg Bigg bigl bigr quad qquad noindent par newline item centering limits nolimits xspace protect
    """.split()  # noqa: SIM905
)
_ACCENT = re.compile(
    r"\\(?:['`^\"~=.]\s*|[uvHtcdbkr](?=\{|\s+\\?[A-Za-z]\b))\s*(?:\{\s*\\?([A-Za-z]{1,2})\s*\}|\\?([A-Za-z]))"
)
_MATH = re.compile(r"\$\$?(?=\S)([^$]*?\S)\$\$?(?!\d)|\\\((.*?)\\\)|\\\[(.*?)\\\]", re.DOTALL)
_FONT = re.compile(
    r"(?<![A-Za-z])\\(?:math(?:bf|rm|it|sf|tt|cal|bb|frak|scr|normal)|text(?:bf|rm|it|sf|tt|sc|sl|normal)?|boldsymbol|bm|"
    r"emph|mbox)\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"(?:(\d+)\s*)?\\[a-z]*frac\s*(?:\{([^{}]*)\}\s*\{([^{}]*)\}|(\d)\s*(\d))")
# So many fractions and fonts one in the other are read; no abstract has more.
_DEEPEST = 8
_COMMAND = re.compile(r"\\([A-Za-z]+)\*?(\s*\{\})?(\s*)(?=(\{|\[[^\]]*\]\{)?)")


def plain(text: str) -> str:
    """`text` without LaTeX; what is no LaTeX stays as it is."""
    if not any(sign in text for sign in "\\$^_{"):
        return text
    text = re.sub(r"\\(?:cite[a-z]*|ref|eqref|label|vspace|hspace)\*?(?:\[[^\]]*\])?\{[^{}]*\}", " ", text)
    text = re.sub(r"\\href\{[^{}]*\}", " ", text)
    text = re.sub(r"\{\s*(" + _ACCENT.pattern + r")\s*\}", r"\1", text)
    text = _ACCENT.sub(lambda found: found[1] or found[2], text)
    # "5 and 10 dollars" is no formula: one begins and ends beside a sign, and no digit follows it (Pandoc's rule).
    text = _MATH.sub(_formula, text)
    text = re.sub(r"(?<=\d)(?:\{,\}|\\[,;:!])(?=\d{3}(?!\d))", ",", text)
    text = re.sub(r"\\[%&#_]", lambda found: found[0][1], text)
    text = re.sub(r"\\[,;:!> /$\\]|(?<!\\)~(?=[A-Za-z\\])", " ", text)
    text = re.sub(r"(?<=[\w%])-{2,3}(?=[\w\\])", "\u2013", text)
    text = _flat(text)
    text = _COMMAND.sub(_command, text)
    text = re.sub(r"(?<=\d)\s+\^", "^", text)
    while (flat := re.sub(r"\^\s*\{([^{}]*)\}(\w?)", _raised, text)) != text:
        text = flat
    text = re.sub(r"(?<=[^\W\d_])_\s*\{?(\d+)\}?", r"\1", text)
    # What two braces keep apart is not one number.
    return re.sub(r"[{}]", "", re.sub(r"(?<=\d)[{}]+(?=\d)", " ", text))


def _flat(text: str) -> str:
    """`text` with raised text as `^`, and with fractions, binomials and roots in one line, from the inside out."""
    text = re.sub(r"\\(?:textsuperscript|sp)(?:\s*(?=\{(?!\s*(?:st|nd|rd|th)\b))|\s+(?=\d))", "^", text)
    for _ in range(_DEEPEST):
        flat = _FONT.sub(r"\1", text)
        flat = _FRACTION.sub(_fraction, flat)
        flat = re.sub(r"\\[dt]?binom\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r" binom \1 \2 ", flat)
        flat = re.sub(r"\\sqrt\s*(?:\[([^\[\]]*)\])?\s*\{([^{}]*)\}", r" sqrt \1 \2 ", flat)
        if flat == text:
            break
        text = flat
    return re.sub(r"\\sqrt(?![A-Za-z])", " sqrt ", text)


def _fraction(found: re.Match[str]) -> str:
    whole, *parts = found.groups()
    above, below = [part.strip() for part in parts if part is not None]
    if above.isdecimal() and below.isdecimal():
        return f"{whole}+{above}\u2044{below}" if whole else f"{above}\u2044{below}"
    return f"{whole or ''}{' ' if whole else ''}{above}/{below}"


def _formula(found: re.Match[str]) -> str:
    inside = next(part for part in found.groups() if part is not None)
    # In a formula TeX takes the space after a letter for the end of its name: `\mu P` reads as one word.
    return re.sub(r"(\\[A-Za-z]+) +(?=[A-Za-z\\])", _unspaced, inside)


def _unspaced(found: re.Match[str]) -> str:
    return f"{found[1]}{{}}" if _greek(found[1][1:]) else found[0]


def _greek(name: str) -> str:
    """The Greek letter of a command's name, or an empty string."""
    bare = name.removeprefix("var")
    letter = GREEK.get(bare.lower(), "") if bare[1:].islower() else ""
    return letter.upper() if bare[:1].isupper() else letter


def _raised(found: re.Match[str]) -> str:
    exponent = re.sub(r"\s", "", found[1])
    return f"^{exponent}" + (f" {found[2]}" if found[2] else "")


def _command(found: re.Match[str]) -> str:
    name, empty, space, argument = found.groups()
    if letter := _greek(name) or _LETTERS.get(name, ""):
        return letter + space
    if name in _SIGNS:
        return f" {_SIGNS[name]} "
    if name in _FUNCTIONS:
        return f" {name} "
    if name in _TYPE or (argument and not empty):
        # A font, a footnote, a mark over a letter: what they hold is the text.
        return "" if argument else space
    return name + space


def fold(text: str) -> str:
    """Lower case without compatibility forms and accents; marks that are letters in their script stay."""
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    kept = (char for char in decomposed if not unicodedata.combining(char) or _is_letter_mark(char))
    # Composed again, or Hangul would stay in pieces.
    return unicodedata.normalize("NFC", "".join(kept)).translate(_LATIN)


def _is_letter_mark(char: str) -> bool:
    return "\u0900" <= char <= "\u109f" or "\u1780" <= char <= "\u17d3" or char in "\u3099\u309a"


_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "∆": "δ"}
)
