"""`python -m neurograph`: the same as the command `neurograph`."""

import sys

from neurograph.cli import main

sys.exit(main())
