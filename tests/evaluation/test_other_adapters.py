"""Adapters of every kind that peft has for these models are evaluated beside their base, with contrast; or refused with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

import diasum
from diasum.dialogue import parse_dialogue
from diasum.errors import DiasumError
from diasum.evaluation.contrast import log_likelihoods
from diasum.summarization.loading import load_trained
from tests.models import CONVERSATIONS, save_corpus, save_model

DIALOGUES = [parse_dialogue(dialogue) for dialogue, _ in CONVERSATIONS]
SHORT = {"generate.max_new_tokens": 6, "generate.num_beams": 1, "evaluate.baselines": [], "evaluate.resamples": 100}


def config(method: str, family: str) -> Any:
    modules = ["q", "v"] if family == "t5" else ["q_proj", "v_proj"]
    return {
        "prefix": lambda **task: peft.PrefixTuningConfig(num_virtual_tokens=4, **task),
        "prompt": lambda **task: peft.PromptTuningConfig(num_virtual_tokens=4, **task),
        "p-tuning": lambda **task: peft.PromptEncoderConfig(num_virtual_tokens=4, **task),
        "adalora": lambda **task: peft.AdaLoraConfig(total_step=9, tinit=1, tfinal=2, target_modules=modules, **task),
        "ia3": lambda **task: peft.IA3Config(**task),
        "lora": lambda **task: peft.LoraConfig(target_modules=modules, **task),
    }[method](task_type="SEQ_2_SEQ_LM")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    save_corpus(folder / "corpus")
    for family in ("t5", "bart"):
        save_model(folder / family, family)
    return folder


def adapter(folder: Path, method: str, family: str) -> Path:
    path = folder / f"{family}-{method}"
    if not path.exists():
        torch.manual_seed(0)
        model = peft.get_peft_model(AutoModelForSeq2SeqLM.from_pretrained(folder / family), config(method, family))
        for parameter in model.parameters():
            if parameter.requires_grad:
                torch.nn.init.normal_(parameter, std=2.0)
        model.save_pretrained(path)
    return path


@pytest.mark.parametrize("family", ["t5", "bart"])
@pytest.mark.parametrize("method", ["prefix", "prompt", "p-tuning", "adalora", "ia3", "lora"])
def test_evaluated_beside_its_base(folder: Path, method: str, family: str) -> None:
    evaluated = diasum.evaluate(
        adapter(folder, method, family),
        base=str(folder / family),
        data=str(folder / "corpus"),
        settings={**SHORT, "evaluate.contrast": 6},
    )
    texts = {name: [one.text for one in made] for name, made in evaluated.predictions.items()}
    alone = diasum.evaluate(
        folder / family, data=str(folder / "corpus"), settings={**SHORT, "evaluate.contrast": 0}
    ).predictions["model"]
    assert texts["base"] == [one.text for one in alone], "the base is the base, without the adapter's virtual tokens"
    assert texts["adapter"] != texts["base"]
    assert any(kind.n for kind in evaluated.contrast["adapter"].kinds.values())


@pytest.mark.parametrize("method", ["prefix", "prompt", "p-tuning", "adalora"])
def test_likelihoods_are_those_of_plain_peft(folder: Path, method: str) -> None:
    trained = load_trained(adapter(folder, method, "bart"), base=str(folder / "bart"))
    texts = [[summary, "Something else."] for _, summary in CONVERSATIONS]
    found = log_likelihoods(trained, DIALOGUES, texts)
    tokenizer = trained.base.tokenizer
    for dialogue, group, values in zip(DIALOGUES, texts, found, strict=True):
        source = torch.tensor([trained.encoder.encode_dialogue(dialogue).input_ids])
        for text, value in zip(group, values, strict=True):
            labels = torch.tensor([tokenizer(text_target=text)["input_ids"]])
            start = trained.model.config.decoder_start_token_id
            with torch.no_grad():
                logits = trained.model(
                    input_ids=source,
                    attention_mask=torch.ones_like(source),
                    decoder_input_ids=torch.cat([torch.tensor([[start]]), labels[:, :-1]], dim=1),
                ).logits
            likelihood = logits.log_softmax(-1).gather(-1, labels[..., None]).mean()
            assert value == pytest.approx(likelihood.item(), abs=2e-4)


def test_an_adapter_of_several_tasks_is_refused(folder: Path, tmp_path: Path) -> None:
    several = peft.MultitaskPromptTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=2, num_tasks=2)
    peft.get_peft_model(AutoModelForSeq2SeqLM.from_pretrained(folder / "t5"), several).save_pretrained(tmp_path)
    with pytest.raises(DiasumError, match="holds several tasks"):
        load_trained(tmp_path, base=str(folder / "t5"))
