"""The encoder: the layers of the base, mean and maximum over the tokens, and a small head. Needs torch.

Parameters have the names of the base's weight file: `ao` is attention's output, `fi` and `fo` lead into and out of the
feed-forward part, `eln`, `aln` and `oln` normalise embeddings, attention and output.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.base import WORDS, Base, Shape, unpacked
from training.vocabulary import kept_ids

LAYERS = 12
POSITIONS = 512
DROPOUT, UNREAD = 0.1, 0.1
"""In training: the share of what layers add that is left out, and the share of pieces that are not seen at all."""

_DROPPED_OF_256 = round(DROPOUT * 256)
_BYTES_A_DRAW, _LEAST_DRAW = 8, -(2**63)
_EPSILON = 1e-12
_NEVER = -1e4


class Dropout(nn.Module):
    """Leaves out DROPOUT of what passes, in training. Random bytes cost a tenth of what torch's own draws do."""

    def forward(self, states: Tensor) -> Tensor:
        """States of any shape, those that stay scaled up by as much as was left out."""
        if not self.training:
            return states
        drawn = torch.empty(states.numel() // _BYTES_A_DRAW + 1, dtype=torch.int64).random_(_LEAST_DRAW, None)
        kept = drawn.view(torch.uint8)[: states.numel()].view(states.shape) >= _DROPPED_OF_256
        return states * (kept * (256 / (256 - _DROPPED_OF_256))).to(states.dtype)


class Layer(nn.Module):
    """One transformer layer, normalised after each part (Vaswani et al., 2017, arXiv 1706.03762)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, inner = shape.width, shape.inner
        self.heads = shape.heads
        self.qkv = nn.Linear(width, 3 * width)
        self.ao = nn.Linear(width, width)
        self.aln = nn.LayerNorm(width, _EPSILON)
        self.fi = nn.Linear(width, inner)
        self.fo = nn.Linear(inner, width)
        self.oln = nn.LayerNorm(width, _EPSILON)
        self.drop = Dropout()

    def forward(self, states: Tensor, bias: Tensor | None) -> Tensor:
        """States [batch, tokens, width] after this layer; a `bias` is added to the attention's logits."""
        batch, tokens, width = states.shape
        size = width // self.heads
        query, key, value = self.qkv(states).view(batch, tokens, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        # Written out: on a processor the gradient of the fused attention takes six times as long in bfloat16, and these
        # are exported as plain MatMul nodes.
        logits = (query * (size**-0.5)) @ key.transpose(-1, -2)
        mixed = torch.softmax(logits if bias is None else logits + bias, -1).to(value.dtype) @ value
        states = self.aln(states + self.drop(self.ao(mixed.transpose(1, 2).reshape(batch, tokens, width))))
        return self.oln(states + self.drop(self.fo(functional.gelu(self.fi(states)))))


class Network(nn.Module):
    """Layers and head over word embeddings that were looked up already.

    Args:
        shape: Of the base; its number of layers does not count.
        layers: How many of them are kept.
    """

    def __init__(self, shape: Shape, layers: int = LAYERS) -> None:
        super().__init__()
        width = shape.width
        self.pos = nn.Parameter(torch.zeros(POSITIONS, width))
        self.eln = nn.LayerNorm(width, _EPSILON)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(layers))
        self.head1 = nn.Linear(2 * width, width)
        self.head2 = nn.Linear(width, 1)
        self.drop = Dropout()

    def forward(self, embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
        """One logit a text [batch].

        Args:
            embeddings: [batch, tokens, width].
            mask: [batch, tokens] of 0 and 1; not needed for texts of one length.
        """
        if self.training:
            embeddings = embeddings * (torch.rand(embeddings.shape[:2]) >= UNREAD)[:, :, None]
        states = self.eln(embeddings + self.pos[: embeddings.shape[1]])
        bias = None if mask is None else ((1.0 - mask) * _NEVER)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, bias)
        if mask is None:
            mean, highest = states.mean(1), states.max(1).values
        else:
            present = mask[:, :, None]
            mean = (states * present).sum(1) / present.sum(1)
            highest = (states * present + _NEVER * (1 - present)).max(1).values
        hidden = self.drop(torch.cat([mean, highest], 1))
        return self.head2(torch.tanh(self.head1(hidden))).squeeze(-1)


def initial_network(base: Base, layers: int = LAYERS) -> Network:
    """A network with the base's first layers; the head is random, from torch's current seed."""
    network = Network(base.shape, layers)
    with torch.no_grad():
        # Every text is of the one type, so its vector joins the positions.
        position = base.vector("emb.pos").reshape(-1, base.shape.width)
        kind = base.vector("emb.type").reshape(-1, base.shape.width)[0]
        network.pos.copy_(torch.from_numpy(position + kind))
        _copy_vectors(network.eln, base, "emb.ln")
        for index, layer in enumerate(network.layers):
            _copy_layer(layer, base, f"l{index}")
    return network


def word_embeddings(base: Base, work: Path) -> Tensor:
    """Embeddings of the pieces that were kept [pieces, width]. They are not trained."""
    return torch.from_numpy(unpacked(base.blocks(WORDS, base.shape.words)[kept_ids(work)]))


def _copy_layer(layer: Layer, base: Base, name: str) -> None:
    width, inner = base.shape.width, base.shape.inner
    parts = [base.matrix(f"{name}.{part}.w", width) for part in "qkv"]
    layer.qkv.weight.copy_(torch.from_numpy(np.concatenate(parts)))
    layer.qkv.bias.copy_(torch.from_numpy(np.concatenate([base.vector(f"{name}.{part}.b") for part in "qkv"])))
    for part, module, rows in (("ao", layer.ao, width), ("fi", layer.fi, inner), ("fo", layer.fo, width)):
        module.weight.copy_(torch.from_numpy(base.matrix(f"{name}.{part}.w", rows)))
        module.bias.copy_(torch.from_numpy(base.vector(f"{name}.{part}.b")))
    _copy_vectors(layer.aln, base, f"{name}.aln")
    _copy_vectors(layer.oln, base, f"{name}.oln")


def _copy_vectors(module: nn.LayerNorm, base: Base, name: str) -> None:
    module.weight.copy_(torch.from_numpy(base.vector(f"{name}.w")))
    module.bias.copy_(torch.from_numpy(base.vector(f"{name}.b")))
