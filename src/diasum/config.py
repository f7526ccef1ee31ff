"""Every setting, declared once: name, type, default and what it does; checked as a whole. `diasum.resolve` puts them together.

A settings file is a tree of the sections below. Unknown keys and wrong values are reported all at once, each with its path, before
anything is loaded. Field names follow the libraries that the values go to (`LoraConfig`, `Seq2SeqTrainingArguments`,
`GenerationConfig`), so what users know from there holds here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from diasum.errors import DiasumError
from diasum.lora_fields import not_a_pattern

Length = Literal["normal", "brief"]
Redaction = Literal["off", "on", "names"]
DEFAULT_PROMPT = "Summarize the following conversation.\n\n{dialogue}\n\nSummary:"


class _Values(BaseModel):
    """YAML 1.1, and so a `--set`, reads a bare `on`, `off`, `yes` or `no` as true or false, which is not always meant."""

    @field_validator("*", mode="before")
    @classmethod
    def _of_booleans(cls, value: object, info: ValidationInfo) -> object:
        if not isinstance(value, bool):
            return value
        annotation = cls.model_fields[info.field_name or ""].annotation
        kinds = get_args(annotation) or (annotation,)
        if "off" in kinds:
            return "on" if value else "off"
        if bool not in kinds and {int, float} & set(kinds):  # pydantic would take true for 1
            raise ValueError("expected a number")
        return value


class _Section(_Values):
    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)


class DataSettings(_Section):
    path: str = Field("sample", description="hub id, local file or folder, or the bundled `everyday` or `sample`")
    revision: str | None = Field(None, description="commit, tag or branch of the hub data set")
    config: str | None = Field(None, description="the data set's configuration, if it has several")
    train_split: str = Field("train", description="the split to train on")
    validation_split: str = Field(
        "validation", description="the split evaluated after each epoch; it decides which epoch's adapter is kept"
    )
    dialogue_column: str | None = Field(None, description="column with the conversation; found by its name if not set")
    summary_columns: list[str] | None = Field(
        None, description="columns with the reference summaries; found by their names if not set"
    )
    id_column: str | None = Field(None, description="column with the id; found by its name if not set")
    topic_column: str | None = Field(None, description="column with a topic for slices; found by its name if not set")
    group_by: str | None = Field(
        None,
        description="column whose value is the same in all rows of a conversation, of a table with a message per row; found if not set",
    )
    format: str = Field(
        "auto",
        description="what exports and transcripts are read as (`whatsapp`, `slack`, ...); auto: what their content shows",
    )
    split_pause: str | None = Field(
        None, description="cut exports into conversations where nobody writes for longer: 30m, 8h, 2d"
    )
    aliases: list[str] = Field(
        default_factory=list, description='`LABEL=NAME` for one person under two labels: ["Ana P.=Ana"]'
    )
    keep_nonspeech: bool = Field(
        False,
        description="keep what is not speech (notices, placeholders of media, deleted messages) as turns; else it is left out and counted",
    )
    license: str | None = Field(
        None, description="the data's licence (such as cc-by-nc-4.0); taken from the data set's card if not set"
    )
    on_empty: Literal["skip", "refuse"] = Field(
        "skip", description="what to do with rows whose dialogue or summary is empty"
    )
    on_overlap: Literal["warn", "drop"] = Field(
        "warn", description="what to do with training dialogues that also appear in another split"
    )
    validation_share: float = Field(
        0.1, gt=0, lt=1, description="share held out for validation when the data has no validation split"
    )
    split_seed: int = Field(0, ge=0, description="seed for choosing the held-out part")
    max_train: int | None = Field(None, ge=1, description="use only the first N training pairs")
    max_validation: int | None = Field(None, ge=1, description="use only the first N validation pairs")

    @field_validator("summary_columns", "aliases", mode="before")
    @classmethod
    def _one_name_is_a_list(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return [f"{label}={name}" for label, name in value.items()]
        return [value] if isinstance(value, str) else value


class PromptSettings(_Section):
    template: str = Field(DEFAULT_PROMPT, description="text around the conversation; `{dialogue}` marks its place")
    length: Length = Field(
        "normal",
        description="how long a summary is asked for: `brief`, one short sentence, in the words that the base was taught for it (`mini` "
        "was); refused with a base that records none, and with a template of your own",
    )
    turn_separator: str | None = Field(
        None, description="text between turns; if not set, a line break, or a separator that survives the tokenizer"
    )
    speakers: Literal["auto", "named", "numbered"] = Field(
        "auto",
        description="how speakers are named to the model: `named`, as written; `numbered`, as #Person1# and so on, with the names put back "
        "into the summary; auto: what the base was made for (`mini`: numbered, others: named)",
    )
    redact: Redaction = Field(
        "off",
        description="hide e-mail addresses, telephone, card, account and identity numbers, IBANs, IP addresses, links with tokens, "
        "dates of birth, postal addresses and speakers' names from the model, in training too, and put them back into its summaries; "
        "`names`: other people's given names as well (needs the extra `redact`; docs/redaction.md)",
    )
    max_source_tokens: int = Field(
        512,
        ge=16,
        description="sources are cut to this many tokens, at turn boundaries; the prompt itself is never cut",
    )
    max_target_tokens: int = Field(128, ge=4, description="reference summaries are cut to this many tokens in training")
    keep: Literal["start", "end", "both"] = Field("start", description="which turns stay when a dialogue is too long")

    @model_validator(mode="after")
    def _has_dialogue(self) -> PromptSettings:
        if self.template.count("{dialogue}") != 1:
            raise ValueError("template must contain {dialogue} exactly once")
        return self

    def for_base(self, config: Any, longest: tuple[int | None, int | None] = (None, None)) -> PromptSettings:
        """These settings for a base: with `speakers` as its configuration says (`dialogue_speakers`; else `named`), for a brief the
        template that it records (`dialogue_prompts`), and no more tokens than it has positions for.

        Args:
            config: the base's configuration.
            longest: source and target that it has positions for; None for any length.

        Raises:
            DiasumError: a brief is asked of a base that records no prompt for one, or with a template of the user's own.
        """
        numbered = getattr(config, "dialogue_speakers", None) == "numbered"
        decided = {"auto": "numbered" if numbered else "named"}.get(self.speakers, self.speakers)
        source, target = longest
        recorded = getattr(config, "dialogue_prompts", None)
        return self.model_copy(
            update={
                "template": self._brief(recorded) if self.length == "brief" else self.template,
                "speakers": decided,
                "max_source_tokens": min(self.max_source_tokens, source or self.max_source_tokens),
                "max_target_tokens": min(self.max_target_tokens, target or self.max_target_tokens),
            }
        )

    def _brief(self, recorded: Any) -> str:
        """The template of a brief, of those that a base records by length."""
        template = recorded.get("brief") if isinstance(recorded, Mapping) else None
        if not isinstance(template, str) or template.count("{dialogue}") != 1:
            raise DiasumError(
                "prompt.length is brief, but the base records no prompt that asks for a brief (`dialogue_prompts` in its config.json).",
                hint="Leave prompt.length out, or ask in words of your own: prompt.template.",
            )
        if self.template not in (DEFAULT_PROMPT, template):
            raise DiasumError(
                "prompt.length is brief, and prompt.template is one of your own: only one of them can be followed.",
                hint="Leave prompt.length out and ask for a brief in the template, or leave prompt.template out.",
            )
        return template

    def asking(self, length: Length) -> PromptSettings:
        """These settings with another length; `for_base` finds the template."""
        template = DEFAULT_PROMPT if self.length == "brief" else self.template  # no other one goes with a brief
        return self.model_copy(update={"length": length, "template": template})


class LoraSettings(_Values):
    """The fields of `peft.LoraConfig`; those not declared here are passed on to it by name."""

    model_config = ConfigDict(extra="allow", validate_assignment=True, allow_inf_nan=False)

    r: int = Field(8, ge=1, description="rank of the LoRA update")
    lora_alpha: float = Field(32, gt=0, description="the LoRA update is scaled by lora_alpha / r")
    lora_dropout: float = Field(0.05, ge=0, lt=1, description="dropout on the adapter's input")
    bias: Literal["none", "all", "lora_only"] = Field("none", description="which biases are trained")
    target_modules: list[str] | str | None = Field(
        None,
        description="names of the modules to adapt, or `all-linear`; the attention's query and value if not set",
    )
    modules_to_save: list[str] | None = Field(None, description="modules trained in full and saved with the adapter")

    @field_validator("target_modules")
    @classmethod
    def _of_a_pattern(cls, value: list[str] | str | None) -> list[str] | str | None:
        if isinstance(value, str) and (problem := not_a_pattern(value)):
            raise ValueError(problem)
        return value


class TrainSettings(_Section):
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate")
    epochs: float = Field(3, gt=0, description="passes over the training pairs")
    long: Literal["cut", "windows", "refuse"] = Field(
        "cut",
        description="training dialogues that are too long for the model: `cut`, as prompt.keep says, and told; `windows`, an example a "
        "window, with the reference sentences that belong to it; `refuse`",
    )
    batch_size: int | None = Field(
        None, ge=1, description="pairs per batch; if not set, batches hold up to `batch_tokens`"
    )
    batch_tokens: int = Field(
        4096, ge=64, description="tokens per batch: source and target, plus padding where batches are not packed"
    )
    fast_path: Literal["auto", "off"] = Field(
        "auto", description="fused training without padding, where it supports the model and its adapter; same results"
    )
    prepack: Literal["auto", "on", "off"] = Field(
        "auto",
        description="pack the frozen weights once for the CPU's matrix products (fast path only): faster steps, at the cost of "
        "up to two more copies of them in memory; auto: where it pays off and memory is ample",
    )
    kernels: Literal["auto", "on", "off"] = Field(
        "auto",
        description="compute norms, gates, LoRA, attention and loss with kernels compiled for this CPU (fast path only), "
        "once, in seconds; auto: where g++ is installed",
    )
    packing: Literal["auto", "on", "off"] = Field(
        "auto",
        description="let pairs of any length share a batch without padding (fast path only); if off, batches are length buckets",
    )
    base_dropout: Literal["off", "on"] = Field(
        "off",
        description="apply dropout inside the frozen base, as its configuration says; off by default: it regularises no trained weight "
        "(lora_dropout does), draws random numbers for every activation, and rules out fused attention kernels",
    )
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="batches whose gradients are accumulated before a step"
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's weight decay")
    max_grad_norm: float = Field(1.0, ge=0, description="gradients are clipped to this norm; 0 turns clipping off")
    warmup_ratio: float = Field(
        0.05, ge=0, lt=1, description="share of the steps over which the learning rate warms up"
    )
    lr_scheduler: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        "linear", description="learning-rate schedule"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="label smoothing in the training loss")
    seed: int = Field(42, ge=0, lt=2**32, description="seed for initialisation, order and dropout")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="device to run on")
    dtype: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="number type for training; auto: bf16 where the hardware supports it (for summaries: generate.dtype)",
    )
    distributed: Literal["ddp", "fsdp"] = Field(
        "ddp",
        description="with several processes (torchrun): ddp, each holds the whole base; fsdp, the frozen base is split between them",
    )
    gradient_checkpointing: bool = Field(False, description="recompute activations: less memory, more time")
    frozen_encoder: bool = Field(
        False,
        description="adapt the decoder only and compute each source's encoder states once: faster epochs at some cost in quality; "
        "docs/memory-and-speed.md has the figures for both",
    )
    encoder_cache_dtype: Literal["bf16", "fp32"] = Field(
        "bf16",
        description="number type of those states on disk (2 or 4 bytes times the model's width per source token)",
    )
    base_quantization: Literal["none", "8bit", "4bit"] = Field(
        "none",
        description="keep the frozen base's weights in 8 or 4 bits while training (needs the extra `quantized`): less memory, more "
        "time; the adapter is an ordinary one and afterwards runs on the unquantised base",
    )
    early_stopping_patience: int | None = Field(
        None,
        ge=1,
        description="stop after this many evaluations that are clearly worse than an earlier one, by `select_by`",
    )
    eval_generate: int = Field(
        64, ge=0, description="validation dialogues (a seeded sample) summarised at each evaluation; 0 for none"
    )
    select_by: Literal["loss", "rouge1", "rouge2", "rougeL", "rougeLsum"] = Field(
        "loss",
        description="what decides whether an earlier epoch's adapter is kept instead of the last one's: only if it is clearly better on "
        "the validation pairs, by two standard errors of the paired difference; if a score (of `eval_generate` summaries) shows no clear "
        "difference, the loss decides",
    )
    save_steps: int | None = Field(
        None, ge=1, description="also write a checkpoint every N steps, besides each epoch's"
    )
    logging_steps: int = Field(10, ge=1, description="steps between logged losses")
    report_to: list[str] = Field(
        default_factory=list,
        description="trackers besides events.jsonl, by their names in transformers: [tensorboard], [wandb]",
    )


class GenerateSettings(_Section):
    num_beams: int = Field(4, ge=1, description="number of beams; 1 is greedy search")
    max_new_tokens: int = Field(100, ge=1, description="maximum length of a summary in tokens")
    min_new_tokens: int = Field(
        0, ge=0, description="minimum length of a summary in tokens; never forced beyond a third of the source"
    )
    closing: str | None = Field(
        None,
        min_length=1,
        description="how the last line of your summaries begins, if they have such a line (`Still open:`): it comes no earlier than "
        "`min_new_tokens`, which then count only the text before it",
    )
    long: Literal["auto", "windows", "cut"] = Field(
        "auto",
        description="a conversation that is too long for the model: `windows`, read part by part and the parts' summaries put together; "
        "`cut`, turns are left out (prompt.keep); auto: windows, but cut where prompt.keep is not `start`",
    )
    length_penalty: float = Field(1.0, description="above 1 favours longer beams")
    no_repeat_ngram_size: int = Field(
        0, ge=0, description="forbid repeated n-grams of this size (a word already begun is finished); 0 allows all"
    )
    repetition_penalty: float = Field(1.0, gt=0, description="above 1 discourages repeated tokens")
    do_sample: bool = Field(False, description="sample instead of searching")
    temperature: float = Field(1.0, gt=0, description="of sampling")
    top_p: float = Field(1.0, gt=0, le=1, description="of sampling")
    rerank: bool = Field(
        False,
        description="of the summaries that the search ends with, one for each beam, take the one of which the checks flag the fewest "
        "sentences, and of those the likeliest",
    )
    batch_tokens: int = Field(8192, ge=64, description="source tokens per batch, counting padding but not beams")
    engine: Literal["auto", "torch-fast", "torch-plain", "ct2"] = Field(
        "auto",
        description="what generates: `torch-fast`, `torch-plain` (transformers' own search) or `ct2` (CTranslate2, with an export of the "
        "run); auto: the fastest that can honour every setting",
    )
    dtype: Literal["auto", "fp32", "bf16"] = Field(
        "auto",
        description="number type for generating summaries, also during training; auto: fp32, so that a summary is the same alone and in "
        "a batch, but with `ct2` that of the export",
    )

    @model_validator(mode="after")
    def _is_one_of_several(self) -> GenerateSettings:
        if self.rerank and (self.do_sample or self.num_beams == 1):
            instead = "samples one" if self.do_sample else "has one beam"
            raise ValueError(f"rerank chooses among the summaries of a beam search, and this one {instead}")
        return self


def as_recorded(generate: Mapping[str, Any]) -> dict[str, Any]:
    """Generation settings of a run's files; one from before `long` cut what was too long, and goes on to, so that its scores stay."""
    return {"long": "cut", **generate} if generate else {}


class CheckSettings(_Section):
    judge: str | None = Field(
        None,
        description="a model that is asked beside the rules whether the conversation supports each sentence: `minilm`, diasum's own "
        "adapter on a small encoder from the hub; a folder that holds this encoder; or an NLI classifier, FactCG or MiniCheck-FLAN-T5 "
        "(folder or hub id)",
    )


class EvaluateSettings(_Section):
    split: str = Field("test", description="the split to evaluate")
    protocol: str = Field(
        "auto",
        description="how ROUGE is computed (docs/protocols.md); auto: `rouge-score` for references in Latin letters, else `unicode`",
    )
    resamples: int = Field(10_000, ge=100, description="bootstrap resamples")
    seed: int = Field(0, ge=0, description="seed of the bootstrap")
    baselines: list[str] = Field(
        default_factory=lambda: ["lead3", "longest"], description="baselines to add to the same table"
    )
    contrast: int = Field(
        100, ge=0, description="dialogues whose references the model must tell from corrupted ones; 0 for none"
    )
    bertscore_model: str | None = Field(None, description="also compute BERTScore with this encoder (folder or hub id)")
    nli_model: str | None = Field(
        None,
        description="also compute consistency with this judge (folder or hub id): an NLI classifier, FactCG, an encoder-decoder that "
        "answers 1 or 0, as MiniCheck-FLAN-T5, or `minilm` (as in `check.judge`)",
    )
    base_model: bool = Field(True, description="also evaluate the base model without the adapter")
    max_examples: int | None = Field(None, ge=1, description="evaluate only the first N dialogues")


class ExportSettings(_Section):
    quantization: Literal["int8", "int8_bf16", "bf16", "fp32"] = Field(
        "int8",
        description="number type of an export to ct2: of its weights, and of the products where the processor has them",
    )
    max_rouge_loss: float = Field(
        0.5,
        gt=0,
        description="an export to ct2 is written only if it loses less ROUGE-L than this against torch, in points, at the upper end of "
        "the 95% interval",
    )
    max_examples: int | None = Field(
        None, ge=1, description="compare an export with the run on the first N validation dialogues only"
    )
    public: bool = Field(False, description="whether everybody may see what is uploaded to the Hub")


class Settings(_Section):
    """The whole tree; see each section for its fields."""

    base: str = Field("mini", description="base model: hub id, local folder, or the bundled `mini`")
    base_revision: str | None = Field(None, description="the base model's commit, tag or branch on the hub")
    trust_remote_code: bool = Field(False, description="run code from the base model's repository")
    data: DataSettings = Field(default_factory=DataSettings)
    prompt: PromptSettings = Field(default_factory=PromptSettings)
    lora: LoraSettings = Field(default_factory=LoraSettings)
    train: TrainSettings = Field(default_factory=TrainSettings)
    generate: GenerateSettings = Field(default_factory=GenerateSettings)
    check: CheckSettings = Field(default_factory=CheckSettings)
    evaluate: EvaluateSettings = Field(default_factory=EvaluateSettings)
    export: ExportSettings = Field(default_factory=ExportSettings)

    def to_yaml(self) -> str:
        """The resolved tree as YAML; `load_settings` reads it back to the same settings."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
