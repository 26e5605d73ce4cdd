"""Text that chat templates and tokenisers of common models read as control tokens. Pure."""

import re

CONTROL_PATTERN = (
    r"<\|[^|<>\n]{1,40}\|>|<\uff5c[^<>\n]{1,40}\uff5c>|</?s>|\[/?INST\]|<<?/?SYS>>?|<(?:start|end)_of_turn>"
    r"|<(?:bos|eos|pad|unk)>"
)
CONTROL = re.compile(CONTROL_PATTERN)
