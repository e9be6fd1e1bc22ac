# SPDX-License-Identifier: ISC
"""What these tests share with those of the whole daemon lies in tests/e2e."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
