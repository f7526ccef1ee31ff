"""``python -m diasum``, and what launchers start: ``torchrun --nproc-per-node 2 -m diasum train ...``."""

from diasum.cli import main

if __name__ == "__main__":
    main()
