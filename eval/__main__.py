"""`python -m eval`: the same as `citable eval`."""

import sys

from eval.cli import main

sys.exit(main())
