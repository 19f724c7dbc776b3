"""``python -m twin.cli``."""

import sys

from twin.cli.launcher import main

sys.exit(main())
