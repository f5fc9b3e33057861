"""Programs around the package: the command line, a small service."""
