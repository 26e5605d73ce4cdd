"""Characters that no reader sees, or that turn the order of what he sees. Pure.

Zero-width characters part words for a search while the eye reads on; a right-to-left override shows "12" for "21"; tag
characters hold whole sentences that a model reads and a person does not. Papers lose them as they are read, so that
what is searched, quoted and shown is one text.
"""

import re

# Soft hyphens, fillers, zero-width marks, directions, invisible operators, interlinear marks, tags and what lies there.
_UNSEEN = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
_UNSEEN += "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
# Between letters of scripts that join them (Persian, Hindi) and between emoji, joiners change what is seen.
_JOINER = "(?<![\u0590-\U0001faff])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\U0001faff])"
# One variant of a sign can be seen; a row of them is a hiding place.
_VARIANTS = "(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+"
_MARKS = re.compile(f"[{_UNSEEN}]|{_VARIANTS}")
_LONE = re.compile(_JOINER)


def encodable(text: str) -> str:
    """`text` with a question mark for each half of a character: bytes of a terminal that are no UTF-8 come as such."""
    return text.encode("utf-8", "replace").decode("utf-8")


def without_unseen(text: str) -> str:
    """`text` without characters that cannot be seen, save joiners where a script needs them."""
    return text if text.isascii() else _LONE.sub("", _MARKS.sub("", text))
