"""The code in a model card: how to summarise with peft and transformers alone, token for token as diasum does.

In: a complete run. Out: Python source, and sentences on what it leaves to diasum. Its classes are those of `diasum.engines.processors` and
`diasum.engines.words`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from diasum.config import GenerateSettings, PromptSettings, as_recorded
from diasum.data.prompt import Prompt
from diasum.engines.search_settings import SHARE, first_tokens, search_values
from diasum.errors import DiasumError
from diasum.model.hardware import generation_dtype
from diasum.model.loading import load_config, resolve_base
from diasum.model.locating import SIDE_FILE
from diasum.model.special_tokens import SPECIAL_IDS, decoder_start
from diasum.summarization.windowed import reads_in_windows
from diasum.training import Run


@dataclass(frozen=True)
class Snippet:
    """Code for a card.

    Attributes:
        code: Python that defines ``summarize(turns)`` and calls it.
        limits: what it does not do and diasum does, a sentence each.
    """

    code: str
    limits: list[str]


def plain_snippet(run: Run, adapter: str, base: str, *, family: str, bundled: bool, on_hub: bool) -> Snippet | None:
    """The snippet for a run's adapter; None for a run of before special tokens were recorded whose base is gone.

    Args:
        run: a complete run.
        adapter: what the code calls the adapter's folder.
        base: what it calls the base, where that is a folder.
        family: the base's model type.
        bundled: the base is the one that comes with diasum.
        on_hub: the base has an id on the Hub.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(run.adapter))
    side = json.loads((run.adapter / SIDE_FILE).read_text(encoding="utf-8"))
    settings, prompt = (
        GenerateSettings(**as_recorded(side.get("generate", {}))),
        PromptSettings(**side.get("prompt", {})),
    )
    numbered = prompt.speakers == "numbered"
    try:
        ids = _special_ids(side)
    except DiasumError:
        return None
    parts = [
        "\n".join(_imports(settings, bundled=bundled, on_hub=on_hub)),
        "\n".join(_loading(settings, adapter, base, bundled=bundled, on_hub=on_hub)),
        *_processors(settings),
        *([_NUMBERING] if numbered else []),
        _function(settings, prompt, tokenizer, ids, family),
        'print(summarize([("Ana", "Lunch at noon?"), ("Ben", "Rather at one, I have a call.")]))',
    ]
    return Snippet("\n\n".join(parts[:2]) + "\n\n\n" + "\n\n\n".join(parts[2:]), list(_limits(settings, prompt)))


def does_with_long(settings: GenerateSettings, prompt: PromptSettings) -> str:
    """What diasum does with a conversation longer than the model's input, after "diasum"."""
    if reads_in_windows(settings, prompt):
        return "reads it in windows"
    return f"leaves out whole turns (kept: {prompt.keep})"


def _limits(settings: GenerateSettings, prompt: PromptSettings) -> Iterator[str]:
    yield f"A conversation of more than {prompt.max_source_tokens} tokens is refused; diasum {does_with_long(settings, prompt)}."
    if prompt.speakers == "numbered":
        yield (
            "Names of several words are numbered only where they are said in full, and roles (`the agent`) come back without their "
            "article; diasum knows both."
        )
    else:
        yield "A label such as `#Person1#` that the conversation does not have stays in the text; diasum writes `someone`."
    if prompt.redact != "off":
        yield (
            "It hides nothing: the adapter was trained on placeholders such as `(Phone1)` for private values (prompt.redact), which diasum "
            "puts into a conversation and takes out of its summary. Redact before, as `diasum data redact` does."
        )
    if settings.rerank:
        yield "It takes the likeliest summary; diasum checks all that the search ends with, and may take another (generate.rerank)."
    if settings.do_sample:
        yield "It samples: its texts differ from one call to the next, here and in diasum."


def _imports(settings: GenerateSettings, *, bundled: bool, on_hub: bool) -> Iterator[str]:
    yield "import re"
    if _held_back(settings):
        yield "from collections.abc import Sequence"
    if settings.no_repeat_ngram_size or _held_back(settings):
        yield "from typing import Any"
    yield ""
    yield "import torch"
    if bundled:
        yield "from diasum.model import bundled_base"
    yield f"from peft import {'PeftConfig, ' if on_hub else ''}PeftModel"
    names = ["AutoModelForSeq2SeqLM", "AutoTokenizer", "GenerationConfig"]
    names += ["LogitsProcessor"] if _held_back(settings) else []
    names += ["NoRepeatNGramLogitsProcessor"] if settings.no_repeat_ngram_size else []
    yield f"from transformers import {', '.join(names)}"


def _loading(settings: GenerateSettings, adapter: str, base: str, *, bundled: bool, on_hub: bool) -> Iterator[str]:
    yield f"adapter = {_quoted(adapter)}  # this folder, or its id on the Hub"
    if bundled:
        yield "base = AutoModelForSeq2SeqLM.from_pretrained(bundled_base(), dtype=torch.float32)"
    elif on_hub:
        yield "config = PeftConfig.from_pretrained(adapter)"
        yield "base = AutoModelForSeq2SeqLM.from_pretrained("
        yield '    config.base_model_name_or_path, revision=config.revision or "main", dtype=torch.float32'
        yield ")"
    else:
        yield f"base = AutoModelForSeq2SeqLM.from_pretrained({_quoted(base)}, dtype=torch.float32)  # the base's folder"
    cast = ".to(torch.bfloat16)" if generation_dtype(settings.dtype)[0] == "bf16" else ""
    yield f"model = PeftModel.from_pretrained(base, adapter){cast}.eval()"
    yield "tokenizer = AutoTokenizer.from_pretrained(adapter)"


def _processors(settings: GenerateSettings) -> Iterator[str]:
    from diasum.engines.processors import FinishWords, NotBefore
    from diasum.engines.words import BegunWords, inside_words

    used: list[Any] = [inside_words, BegunWords, FinishWords] if settings.no_repeat_ngram_size else []
    for thing in [*used, *([NotBefore] if _held_back(settings) else [])]:
        yield inspect.getsource(thing).rstrip()


_NUMBERING = """
def number(turns):  # the model reads speakers as numbers, in the order in which they first speak
    if re.search(r"#Person\\d+#", str(turns)):
        return turns, []
    names = list(dict.fromkeys(speaker for speaker, _ in turns if speaker))
    labels = {name: f"#Person{k}#" for k, name in enumerate(names, 1)}
    spoken = [name for name in names if len(name) > 1 and name.lower() not in ("will", "may", "you", "me", "i")]
    spoken = "|".join(re.escape(name) for name in sorted(spoken, key=len, reverse=True)) or "(?!)"
    spoken = re.compile(rf"(?<!\\w)(?:[Tt]he )?({spoken})(?!\\w)")
    return [(labels.get(speaker, speaker), spoken.sub(lambda match: labels[match[1]], text)) for speaker, text in turns], names


def mention(match, names):
    k = int(match[2])
    if k <= len(names):
        return names[k - 1]
    return "Someone" if match.start() == 0 or match.string[: match.start()].rstrip()[-1:] in ".!?:" else "someone"
""".strip()

_NAMES_BACK = (
    r'    label = re.compile(r"(?:\b(?:[Tt]he|[Aa]n?) )?(#Person(\d+)#)")',
    "    return label.sub(lambda match: match[0] if match[1] in given else mention(match, names), text)",
)


def _function(
    settings: GenerateSettings, prompt: PromptSettings, tokenizer: Any, ids: dict[str, Any], family: str
) -> str:
    text, numbered = Prompt.for_tokenizer(tokenizer, prompt)[0], prompt.speakers == "numbered"
    shortest = f"min({settings.min_new_tokens}, length // {SHARE})"
    values = {name: repr(value) for name, value in search_values(settings).items()}
    processors = []
    if settings.no_repeat_ngram_size:
        values["no_repeat_ngram_size"] = "0"
        processors.append(f"FinishWords({settings.no_repeat_ngram_size}, inside_words(tokenizer))")
    if _held_back(settings):
        ends = ids["eos_token_id"] if isinstance(ids["eos_token_id"], list) else [ids["eos_token_id"]]
        processors.append(f"NotBefore([{shortest}], {ends + first_tokens(tokenizer, settings.closing)})")
    elif settings.min_new_tokens:
        values["min_new_tokens"] = shortest
    values |= {name: repr(ids.get(name)) for name in SPECIAL_IDS}
    lines = [
        "def summarize(turns):",
        '    """Of (speaker, text) pairs."""',
        *(["    given, (turns, names) = str(turns), number(turns)"] if numbered else []),
        '    lines = [f"{speaker}: {text}" if speaker else text for speaker, text in turns]',
        "    # what looks like one of the tokenizer's special tokens is text",
        "    special = sorted((t for t in tokenizer.all_special_tokens if len(t) > 2), key=len, reverse=True)",
        '    special = re.compile("|".join(map(re.escape, special)) or "(?!)")',
        '    lines = [special.sub(lambda match: f"{match[0][0]} {match[0][1:]}", line) for line in lines]',
        f"    prompt = {text.prefix!r} + {text.separator!r}.join(lines) + {text.suffix!r}",
        '    inputs = tokenizer(prompt, return_tensors="pt")',
        "    length = inputs.input_ids.shape[1]",
        f"    if length > {prompt.max_source_tokens}:",
        f'        raise ValueError(f"{{length}} tokens, but it was trained on up to {prompt.max_source_tokens}: leave out turns")',
        "    # in place of the base's own, from which transformers would take whatever is left open",
        "    base.generation_config = model.generation_config = GenerationConfig(",
        *(f"        {name}={value}," for name, value in values.items()),
        "    )",
        "    output = model.generate(",
        "        input_ids=inputs.input_ids,",
        "        attention_mask=inputs.attention_mask,",
        *(["        global_attention_mask=(torch.arange(length) == 0).long()[None],"] if family == "led" else []),
        *([f"        logits_processor=[{', '.join(processors)}],"] if processors else []),
        "    )",
        "    text = tokenizer.decode(output[0], skip_special_tokens=True).strip()",
        *(_NAMES_BACK if numbered else ["    return text"]),
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _held_back(settings: GenerateSettings) -> bool:
    return bool(settings.closing and settings.min_new_tokens)


def _special_ids(side: dict[str, Any]) -> dict[str, Any]:
    """Those recorded in the run; of an older one, those of its base."""
    from transformers import GenerationConfig

    base = side.get("base", {})
    if recorded := base.get("special_tokens"):
        return dict(recorded)
    config = load_config(base["id"], revision=base.get("revision"))
    try:
        own = GenerationConfig.from_pretrained(resolve_base(base["id"]), revision=base.get("revision"))
    except OSError:
        own = GenerationConfig.from_model_config(config)
    ids = {name: getattr(own, name, None) for name in SPECIAL_IDS}
    return ids | {"decoder_start_token_id": decoder_start(SimpleNamespace(config=config, generation_config=own))}
