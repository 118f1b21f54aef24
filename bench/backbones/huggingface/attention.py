"""Which of transformers' ways to compute attention its networks use."""

import torch


def attention(on_cpu: str | None = "eager") -> str | None:
    """Return which of transformers' attentions to use: on a GPU the network's own choice, else `on_cpu`.

    That is plain products ("eager") over up to a few hundred positions: torch's kernel for CPUs takes two to five times
    as long, from 3 tokens to 128, in bfloat16. Beyond, and in float32 for forecasters, the kernel ("sdpa") is quicker.
    """
    return None if torch.cuda.is_available() else on_cpu
