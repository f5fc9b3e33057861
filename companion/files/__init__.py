"""Files: written whole, read without running a stranger's code."""
