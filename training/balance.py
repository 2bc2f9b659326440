"""Evens out what the encoder's matrices are multiplied with, so that 8 bits tell it better apart. Needs torch.

A few channels hold values ten times as large as most. In 8 bits, whose steps are as wide as the largest value asks
for, the others lose their detail. Dividing each channel by a factor and multiplying the matrix's column by it changes
no product and moves the difficulty into the weights, which have a scale a row (Xiao et al., "SmoothQuant", 2022, arXiv
2211.10438).
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.network import Network

SHARE = 0.7
"""How much of the difference between channels goes into the weights."""

BALANCED = ("qkv", "fi", "fo")
"""What attention's output is made of differs too little to be worth a step more."""

_SMALLEST = 1e-4
_MOST = 50.0


class Balanced(nn.Module):
    """The same linear layer; `inverse` is what each channel of its input is multiplied by first."""

    def __init__(self, layer: nn.Linear, factors: Tensor) -> None:
        super().__init__()
        self.inverse = nn.Parameter(1.0 / factors)
        self.linear = nn.Linear(layer.in_features, layer.out_features)
        self.linear.weight.data = layer.weight.data * factors
        self.linear.bias.data = layer.bias.data

    def forward(self, states: Tensor) -> Tensor:
        """[..., outputs] of [..., inputs]."""
        return self.linear(states * self.inverse)


def balance(network: Network, samples: Iterable[Tensor]) -> None:
    """Put a `Balanced` in place of each layer that is named above.

    Args:
        network: Changed in place; gives the same logits but for rounding.
        samples: Embeddings of windows, [1, tokens, width] each, that show how large the channels get.
    """
    largest: dict[nn.Module, Tensor] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        seen = given[0].detach().abs().flatten(0, -2).amax(0)
        largest[module] = torch.maximum(largest[module], seen) if module in largest else seen

    layers = [(layer, name, getattr(layer, name)) for layer in network.layers for name in BALANCED]
    hooks = [module.register_forward_pre_hook(note) for _, _, module in layers]
    with torch.no_grad():
        for sample in samples:
            network(sample)
    for hook in hooks:
        hook.remove()
    for layer, name, module in layers:
        setattr(layer, name, Balanced(module, _factors(largest[module], module.weight.data)))


def _factors(largest: Tensor, weights: Tensor) -> Tensor:
    heavy = weights.abs().amax(0).clamp(min=_SMALLEST)
    factors = largest.clamp(min=_SMALLEST) ** SHARE / heavy ** (1 - SHARE)
    return (factors / factors.median()).clamp(1 / _MOST, _MOST)
