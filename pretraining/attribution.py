"""Does a model know who said what? `python -m pretraining.attribution --model FOLDER`

For one sentence of each sample conversation (train and validation) the model scores `X says that <sentence>` for every speaker X, given
the conversation; right is the one who says it. Half of them would be right by chance where there are two. Speakers are numbered, as
`mini` reads them, or keep their names (`--named`).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from diasum.config import DataSettings
from diasum.data import load_corpus
from diasum.dialogue import Dialogue
from diasum.evaluation.contrast import log_likelihoods
from diasum.summarization.loading import load_trained
from pretraining.reported import sentences


def questions(dialogues: Sequence[Dialogue], seed: int, speakers: int) -> Iterator[tuple[Dialogue, str, str]]:
    """(dialogue, who says it, sentence): one sentence of 5 to 14 words from each dialogue that has so many speakers."""
    rng = random.Random(seed)
    for dialogue in dialogues:
        utterances = [
            (turn.speaker, sentence.rstrip("."))
            for turn in dialogue.turns
            for sentence in sentences(turn.text)
            if 5 <= len(sentence.split()) <= 14 and not sentence.endswith(("?", "!"))
        ]
        if utterances and len(dialogue.speakers) == speakers:
            yield dialogue, *rng.choice(utterances)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="mini", help="folder of the model")
    parser.add_argument("--named", action="store_true", help="let the model read the speakers' own names")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trained = load_trained(Path(options.model) if options.model != "mini" else "mini")
    settings = trained.encoder.settings.model_copy(update={"speakers": "named" if options.named else "numbered"})
    trained = replace(trained, encoder=type(trained.encoder)(trained.base.tokenizer, settings))
    corpus = load_corpus(DataSettings(path="sample"))
    dialogues = [pair.dialogue for split in ("train", "validation") for pair in corpus.split(split)]
    for count in (2, 3, 4):
        asked = list(questions(dialogues, options.seed, count))
        texts = [[f"{x} says that {sentence}." for x in dialogue.speakers] for dialogue, _, sentence in asked]
        scores = log_likelihoods(trained, [dialogue for dialogue, _, _ in asked], texts)
        right = sum(
            dialogue.speakers[max(range(count), key=row.__getitem__)] == who
            for (dialogue, who, _), row in zip(asked, scores, strict=True)
        )
        print(f"{count} speakers: {right} of {len(asked)} right")


if __name__ == "__main__":
    main()
