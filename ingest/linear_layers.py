"""Linear layers that compute in fewer bits than fp32 and give fp32 back. Knows no model.

Each row of the input is scaled by itself, so that what is computed for a text does not depend on what else is in its batch.
Weights and biases bear the names that they have in torch's layer, because some models look at them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_GREATEST = 127


class Bf16Linear(nn.Module):
    """Weights and input in bf16."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.weight = layer.weight.to(torch.bfloat16)
        self.bias = None if layer.bias is None else layer.bias.to(torch.bfloat16)

    def forward(self, rows: Tensor) -> Tensor:
        """(…, n_in) → (…, n_out), both float32."""
        return nn.functional.linear(rows.to(torch.bfloat16), self.weight, self.bias).float()


class Int8Linear(nn.Module):
    """Weights and input in 8 bits, with a scale for each output and for each row of the input."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        weight = layer.weight.detach()
        self._scales = _scales(weight).T
        self.weight = (weight / self._scales.T).round().to(torch.int8).T.contiguous()
        self.bias = layer.bias

    def forward(self, rows: Tensor) -> Tensor:
        """(…, n_in) → (…, n_out), both float32."""
        flat = rows.reshape(-1, rows.shape[-1])
        scales = _scales(flat)
        sums = torch._int_mm((flat / scales).round().to(torch.int8), self.weight)
        out = sums.float().mul_(scales).mul_(self._scales)
        if self.bias is not None:
            out += self.bias
        return out.reshape(*rows.shape[:-1], -1)


def _scales(rows: Tensor) -> Tensor:
    """(n_rows, 1) what one step of 8 bits means in each row."""
    return rows.abs().amax(dim=1, keepdim=True).div(_GREATEST).clamp_min(1e-12)
