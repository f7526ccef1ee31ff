"""Several processes that train one adapter, one per device, started by ``torchrun`` or ``accelerate launch``.

In: what the launcher put into the environment. Out: the few things that the processes do together, each a no-op in a single process.
The batches of a step are those that one process would take with as many times the gradient accumulation, so its adapter is the same.
Only adapter gradients are exchanged, in one all-reduce before the optimizer's step (3.5 MB for flan-t5-base at r=8): that holds for
any way to compute them, and leaves a process free to split a batch or to have none. With ``fsdp`` the frozen base is split between
the processes and gathered block by block; the adapter stays whole everywhere.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from diasum.data.batching import IGNORED
from diasum.errors import DiasumError

if TYPE_CHECKING:
    import torch

    from diasum.config import TrainSettings
    from diasum.data import LengthBatches, PackedBatches

T = TypeVar("T")
# A process may wait long for another (a download, scoring on one); a process that died is noticed at once by the launcher.
_PATIENCE = timedelta(days=1)
_FAREWELL = timedelta(seconds=10)
_store: Any = None


def processes() -> int:
    """How many processes train together; 1 without a launcher."""
    there = all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"))
    return int(os.environ["WORLD_SIZE"]) if there else 1


def rank() -> int:
    """This process's number, from 0."""
    return int(os.environ["RANK"]) if processes() > 1 else 0


def is_main() -> bool:
    """Whether this is the one process that prints and writes."""
    return rank() == 0


def splits_base(train: TrainSettings) -> bool:
    """Whether the base is split between processes, and no one holds it whole."""
    return train.distributed == "fsdp" and processes() > 1


def join(device: str) -> None:
    """Meet the other processes; does nothing in a single one, or the second time.

    Args:
        device: the setting ``train.device``. On a GPU each process takes the one of its number on its machine.

    Raises:
        DiasumError: they do not find each other, or the launcher's own configuration asks for what cannot work here.
    """
    if processes() == 1:
        return
    import torch
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore

    for variable, name in (("ACCELERATE_USE_FSDP", "FSDP"), ("ACCELERATE_USE_DEEPSPEED", "DeepSpeed")):
        if os.environ.get(variable, "false").lower() == "true":
            raise DiasumError(
                f"accelerate's configuration asks for {name}, which does not support frozen bases with adapters.",
                hint="Launch without it; to split the base between the processes set train.distributed=fsdp.",
            )
    if dist.is_initialized():
        return
    cuda = device in ("auto", "cuda") and torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", rank())))
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo",
            store=PrefixStore("group", _meeting_point()),
            rank=rank(),
            world_size=processes(),
            timeout=_PATIENCE,
        )
    except (RuntimeError, ValueError) as error:
        raise DiasumError(
            f"Process {rank()} of {processes()} did not find the others: {error}",
            hint="Check the launcher's addresses and ports; MASTER_ADDR must be reachable from every machine.",
        ) from None
    atexit.register(lambda: dist.is_initialized() and dist.destroy_process_group())


def leave(code: int) -> NoReturn:
    """End this process, which met others, now.

    Threads of gloo may still hold tensors that Python made. Where one lets go of them while Python is being taken down, torch ends the
    process by SIGABRT, and the launcher calls a training failed that has saved its adapter. So what was registered for the end of the
    process is done, and Python is not taken down.

    Args:
        code: to exit with.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def on_main(action: Callable[[], T]) -> T:
    """Do something in the main process only; all get its result, or raise its `DiasumError`.

    Args:
        action: must not wait for other processes; its result must be picklable.
    """
    if processes() == 1:
        return action()
    import torch.distributed as dist

    outcome: list[Any] = [None, None]
    if is_main():
        try:
            outcome[0] = action()
        except DiasumError as error:
            outcome[1] = (error.message, error.hint)
    dist.broadcast_object_list(outcome, src=0)
    if outcome[1] is not None:
        raise DiasumError(outcome[1][0], hint=outcome[1][1])
    result: T = outcome[0]
    return result


def any_process(flag: bool) -> bool:
    """Whether the flag is set in any of the processes."""
    return flag if processes() == 1 else total(float(flag))[0] > 0


def total(*values: float) -> list[float]:
    """The values, each summed over the processes."""
    if processes() == 1:
        return list(values)
    import torch
    import torch.distributed as dist

    summed = torch.tensor(values, dtype=torch.float64)
    dist.all_reduce(summed)
    return [float(value) for value in summed]


def gather(value: T) -> list[T]:
    """Every process's value, in their order."""
    if processes() == 1:
        return [value]
    import torch.distributed as dist

    values: list[Any] = [None] * processes()
    dist.all_gather_object(values, value)
    return values


def add_up_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace the gradients of trained parameters by their sum over the processes; a missing one counts as zero."""
    import torch
    import torch.distributed as dist

    trained = [parameter for parameter in parameters if parameter.requires_grad]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
    flat = torch.cat([gradient.flatten().float() for gradient in gradients])
    dist.all_reduce(flat)
    sizes = [parameter.numel() for parameter in trained]
    for parameter, gradient in zip(trained, torch.split(flat, sizes), strict=True):
        parameter.grad = gradient.view_as(parameter).to(parameter.dtype)


def shard_base(model: Any, device: str, dtype: torch.dtype) -> None:
    """Split the frozen weights between the processes (FSDP2), block by block; what is trained stays whole everywhere.

    Args:
        model: a peft model, in main memory: a block at a time is on the device whole. Its blocks are those that transformers names in
            ``_no_split_modules``.
        device: ``cpu`` or ``cuda``.
        dtype: compute type; weights of linear layers are kept in it, to which autocast would bring them at every use.

    Raises:
        DiasumError: the base is quantized, or its blocks are not known.

    Source: Zhao et al., "PyTorch FSDP", VLDB 2023; `torch.distributed.fsdp.fully_shard`.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    names = set(getattr(model.get_base_model(), "_no_split_modules", None) or ())
    blocks = [module for module in model.modules() if type(module).__name__ in names]
    if not blocks or any(not parameter.is_floating_point() for parameter in model.parameters()):
        raise DiasumError(
            "train.distributed is fsdp, but this base cannot be split: "
            + ("it is quantized." if blocks else "transformers does not name its blocks."),
            hint="Use train.distributed=ddp, where every process holds the whole base.",
        )
    _keep_linear_weights_in(dtype, model)
    mesh = init_device_mesh(device, (processes(),))
    whole = {parameter for parameter in model.parameters() if parameter.requires_grad}
    for module in [*blocks, model]:
        # The outermost, too: saving the adapter, which process 0 does alone, must find nothing gathered that it would let go of.
        fully_shard(module, mesh=mesh, ignored_params=whole, reshard_after_forward=True)
    for parameter in whole:
        parameter.data = parameter.data.to(device)
    register_fsdp_forward_method(model, "generate")


def _keep_linear_weights_in(dtype: torch.dtype, model: Any) -> None:
    from torch import nn

    # An embedding is read as it is, also where the output layer shares it.
    read = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    for module in model.modules():
        if isinstance(module, nn.Linear) and not module.weight.requires_grad and id(module.weight) not in read:
            module.weight.data = module.weight.data.to(dtype)


class RankBatches:
    """This process's part of an epoch's batches: with n processes every n-th; an empty batch where they do not divide evenly.

    Args:
        batches: the order that all processes share.
    """

    drop_last = False

    def __init__(self, batches: LengthBatches | PackedBatches) -> None:
        self.batches = batches
        self.batch_size = None

    def set_epoch(self, epoch: int) -> None:
        """Choose the order, as `LengthBatches.set_epoch`."""
        self.batches.set_epoch(epoch)

    def __len__(self) -> int:
        return -(-len(self.batches) // processes())

    def __iter__(self) -> Iterator[list[int]]:
        order = list(self.batches)
        order += [[]] * (len(self) * processes() - len(order))
        return iter(order[rank() :: processes()])


class EmptyBatchCollator:
    """Collates; an empty batch becomes the shortest pair with nothing to learn from it (all labels ignored)."""

    def __init__(self, collator: Callable[[Any], dict[str, Any]], features: Sequence[Mapping[str, Any]]) -> None:
        self.collator = collator
        shortest = min(features, key=lambda feature: len(feature["input_ids"]) + len(feature["labels"]))
        self.filler = {**shortest, "labels": [IGNORED] * len(shortest["labels"])}

    def __call__(self, features: Any) -> dict[str, Any]:
        return self.collator(features or [self.filler])


@contextlib.contextmanager
def lost_contact() -> Iterator[None]:
    """Turn what the backend reports when another process is gone into an error that says so."""
    try:
        yield
    except RuntimeError as error:
        if processes() == 1 or not any(sign in str(error).lower() for sign in ("connection", "peer", "nccl", "gloo")):
            raise
        raise DiasumError(
            f"Process {rank()} of {processes()} lost contact with the others: one of them has ended.",
            hint="Its own message, or the system's (out of memory?), says why. Start the same command with --resume to go on.",
        ) from None


def reports_failure() -> bool:
    """Whether this failed process is the one to tell the user; waits a little so that the others can fail on their own.

    A launcher kills all processes as soon as one has ended, so the others get time to end with the same exit code.
    """
    if processes() == 1:
        return True
    try:
        store = _meeting_point()
        first = store.add("failures", 1) == 1
        store.set(f"failed/{rank()}", "")
        with contextlib.suppress(RuntimeError):
            store.wait([f"failed/{other}" for other in range(processes())], _FAREWELL)
    except (RuntimeError, ValueError):  # no one left to talk to
        return True
    return bool(first)


def _meeting_point() -> Any:
    """The key-value store that the launcher, or process 0, serves at MASTER_ADDR."""
    global _store
    if _store is None:
        from torch.distributed.distributed_c10d import PrefixStore
        from torch.distributed.rendezvous import rendezvous

        store, _, _ = next(rendezvous("env://", timeout=timedelta(minutes=5)))
        # torchrun's --max-restarts starts processes anew around the same store
        _store = PrefixStore(f"diasum/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
    return _store
