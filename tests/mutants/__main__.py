"""`python -m tests.mutants`, from the top folder of the project."""

import sys

from tests.mutants.run import main

sys.exit(main(sys.argv[1:]))
