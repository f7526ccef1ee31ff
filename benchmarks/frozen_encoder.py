"""What the frozen encoder costs and gives: two trainings from the same settings but for it, interleaved epoch by epoch with each other.

    python -m benchmarks.frozen_encoder [--only sample|dialogsum] [--epochs N]

Both are trained with the bundled recipe and evaluated on the test split; the difference in ROUGE is paired by dialogue, with a 95%
bootstrap interval. The speed ratio is that of training time without evaluation, the time for encoding once included. Saves
``benchmarks/results/frozen_encoder.json``, from which ``python -m benchmarks.tables`` writes the table in docs/memory-and-speed.md.
DialogSum is taken from ``$DIASUM_DATA/dialogsum`` (its dev split trains, without the dialogues that its test split shares).
"""
