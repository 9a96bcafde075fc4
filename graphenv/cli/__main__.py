"""`python -m graphenv.cli COMMAND`."""

from __future__ import annotations

import sys

from graphenv.cli import main

if __name__ == "__main__":
    sys.exit(main())
