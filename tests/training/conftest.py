import sys
from pathlib import Path

# The commands under training/ and tools/ are run from the root of a checkout and are no installed packages.
sys.path.append(str(Path(__file__).resolve().parents[2]))
