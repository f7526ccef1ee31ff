"""The program ``diasum``, ``python -m diasum``, and what launchers start: ``torchrun --nproc-per-node 2 -m diasum train ...``."""

import gc
import sys


def main() -> None:
    """Entry point: quiet on Ctrl-C even while the command line is being loaded."""
    try:
        from diasum import cli

        cli.main()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
    finally:
        gc.freeze()  # else Python looks for garbage in everything as it ends: half a second where torch is loaded


if __name__ == "__main__":
    main()
