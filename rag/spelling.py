"""British spelling -> American, for words that are compared, never shown. Pure.

Only regular families, and within them only what cannot be another word: "our", "four" and "contour", "noise",
"promise" and "precise", "acre" and "aerobic" stay as they are. Words come in lower case, without accents.
"""

import re
from functools import lru_cache

# -our and -re by a list of stems, because most words in -our keep it everywhere.
_OUR = (
    r"(behavi|col|fav|flav|hon|hum|lab|neighb|tum|vap|vig|rum|harb|od|sav|parl|endeav|arm|ard|clam|cand|demean|ferv|"
    r"ranc|rig|savi|splend|val)our(?=$|s$|ed|ing|er|abl|al|ful|less|ist|it|hood|ly$|y$|ous)"
)
_RE = r"(cent|fib|lit|met|theat|calib|lust|spect|sab|somb|meag|tit|man(?:oe|eu?)uv)r(?:e(?=$|s$)|(?=ed$|ing$))"
_LL = (
    r"((?:mode|labe|trave|signa|channe|cance|fue|leve|tunne|tota|counse|dia|equa|riva|pane|funne|spira|due|chise|"
    r"ename|marve|unrave|beve|peda|shove|initia|jewe)l)l(?=ed$|ings?$|ers?$|ery$|able$)"
)
# -ise that is no suffix; "unsupervised" and "denoising" end so too.
_ISE = re.compile(r"(?P<base>.{2,}[^aouwyv]|.{3,}v|.{3,}y)is(?P<end>e|es|ed|er|ers|ing|able|ability|ations?|ational)")
_NO_SUFFIX = re.compile(
    r".*(?:(?:ad|de|re|er|pro)v|(?:exer|circum|con|pre|in|ex)c|pr|(?:adver|chas|exper|trea|prac|mor)t|"
    r"(?:merchan|para)d|franch|desp|(?:pro|pre|sur|de)m|[bc]r)|a?r|(?:sun|moon|up)r|an|bap|tel?ev|pelv|penn?|"
    r"dis|ox"
)
_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (_OUR, r"\1or"),
        (_RE, r"\1er"),
        (_LL, r"\1"),
        (r"(anal|paral|catal|dial|hydrol|electrol|photol|pyrol|proteol|autol|^l)yz(?=e|ing|abl)", r"\1ys"),
        (r"(anal|catal|dial|homol|monol|epil|travel)ogu(?:e(?=$|s$|d$|rs?$)|(?=ing$))", r"\1og"),
        # ae and oe in the roots of medicine, physics and history; "aerobic", "phoenix" and "algae" hold none of them.
        (r"^haem$", "heme"),
        (r"aem(?=i[ac])|(?<=h)aem(?=o|at|e)", "em"),
        (r"(^|orthop|encyclop|logop)(p?)aed(?=i|o|e)", r"\1\2ed"),
        (r"^(an)?aesth(?=e)", r"\1esth"),
        (r"^(arch|pal)aeo", r"\1eo"),
        (r"^aetio", "etio"),
        (r"(^|peri)(c|f)aec(?=a|u|es)", r"\1\2ec"),
        (r"gynaec", "gynec"),
        (r"(^|(?<=o)|(?<=^an)|(?<=^di))oestr(?=o|a|u|i)", "estr"),
        (r"(?<!angi)oedem", "edem"),
        (r"(^|(?<=o))oesoph", "esoph"),
        (r"foet(?=al|us|o)", "fet"),
        (r"^coeli", "celi"),
        (r"(?<=pn)oea|(?<=rrh)oea", "ea"),
        (r"sulph", "sulf"),
        (r"leuco(?=cyt)", "leuko"),
        (r"leucem", "leukem"),
        (r"^caesium", "cesium"),
        (r"^manoeuv", "maneuv"),
        (r"^grey(?!hound)", "gray"),
    )
)
_WORDS = {
    "aluminium": "aluminum", "programme": "program", "programmes": "programs", "defence": "defense",
    "defences": "defenses", "offence": "offense", "offences": "offenses", "licence": "license", "licences": "licenses",
    "pretence": "pretense", "practise": "practice", "practised": "practiced", "practises": "practices",
    "practising": "practicing", "artefact": "artifact", "artefacts": "artifacts", "artefactual": "artifactual",
    "ageing": "aging", "judgement": "judgment", "judgements": "judgments", "acknowledgement": "acknowledgment",
    "sceptic": "skeptic", "sceptical": "skeptical", "scepticism": "skepticism", "mould": "mold", "moulds": "molds",
    "moulded": "molded", "moulding": "molding", "plough": "plow", "ploughing": "plowing", "enrol": "enroll",
    "enrols": "enrolls", "enrolment": "enrollment", "fulfil": "fulfill", "fulfils": "fulfills",
    "fulfilment": "fulfillment", "instalment": "installment", "distil": "distill", "distils": "distills",
    "skilful": "skillful", "skilfully": "skillfully", "wilful": "willful", "focussed": "focused",
    "focusses": "focuses", "focussing": "focusing", "learnt": "learned", "spelt": "spelled", "neurone": "neuron",
    "neurones": "neurons", "marvellous": "marvelous", "gramme": "gram", "grammes": "grams",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def american(word: str) -> str:
    """The American spelling of a British word; any other word as it is."""
    if word in _WORDS:
        return _WORDS[word]
    if (ise := _ISE.fullmatch(word)) and not _NO_SUFFIX.fullmatch(ise["base"]):
        word = f"{ise['base']}iz{ise['end']}"
    for pattern, replacement in _RULES:
        word = pattern.sub(replacement, word)
    return word
