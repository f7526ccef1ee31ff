"""The settings of a training in the words of transformers."""

from __future__ import annotations

from transformers import Seq2SeqTrainingArguments

from diasum.config import Settings
from diasum.model import Hardware
from diasum.training.run import Run


def training_arguments(settings: Settings, run: Run, hardware: Hardware) -> Seq2SeqTrainingArguments:
    """What `DialogueTrainer` is told. Evaluation and checkpoints are left to `diasum.training.callbacks.EpochSchedule`."""
    train = settings.train
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(run.checkpoints),
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.batch_size or 1,
        gradient_accumulation_steps=train.gradient_accumulation_steps,
        learning_rate=train.learning_rate,
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        lr_scheduler_type=train.lr_scheduler,
        seed=train.seed,
        use_cpu=hardware.device == "cpu",
        bf16=hardware.dtype == "bf16",
        fp16=hardware.dtype == "fp16",
        activation_checkpointing=train.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if train.gradient_checkpointing else None,
        logging_steps=train.logging_steps,
        logging_nan_inf_filter=False,
        eval_strategy="no",
        save_strategy="no",
        report_to=[name for name in train.report_to if name != "tensorboard"] or "none",
        remove_unused_columns=False,
        label_names=["labels"],
        log_level="error",
        log_level_replica="error",  # of all processes but the first one, which would otherwise pass on what libraries advise
        disable_tqdm=True,
        dataloader_pin_memory=hardware.device == "cuda",
        average_tokens_across_devices=False,  # `DialogueTrainer` counts them itself
    )
    # One process trains on one device: with several GPUs there transformers would wrap the model in `DataParallel`.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
