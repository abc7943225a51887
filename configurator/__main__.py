"""``python -m configurator`` is the same as ``configurator``."""

from configurator.cli import main

if __name__ == "__main__":
    main()
