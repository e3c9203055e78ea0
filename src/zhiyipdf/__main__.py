"""Lets ``python -m zhiyipdf`` do what the command ``zhiyipdf`` does."""

from zhiyipdf.cli import main

main()
