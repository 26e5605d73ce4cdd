"""The engine of Citable: papers in, cited and checked answers out."""

import os

# Read by OpenMP when the first library that uses it is loaded. Spinning threads starve everything else on a small
# machine, sleeping ones halve the speed; a short spin costs neither (figures in eval/LOG.md).
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
