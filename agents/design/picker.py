"""`Picker`: a graph network that rates nodes as the first or second end of the next edge."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch_geometric.nn import GINConv

from graphenv.checks import whole
from graphenv.envs.design.network import Network, Pair, pair
from graphenv.errors import ConfigError, DataError

__all__ = ["Picker", "allowed", "load", "save"]

_FILE, _WEIGHTS = "picker.json", "model.safetensors"
_INPUTS = 5


def allowed(adjacency: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return which nodes may be picked next, (B, n) of bool.

    Parameters
    ----------
    adjacency
        (B, n, n) of bool.
    first
        (B,): the end that was picked already, -1 where none was. A first end needs a missing edge,
        a second one must not be tied to the first.
    """
    size = adjacency.shape[1]
    free: np.ndarray = adjacency.sum(axis=2) < size - 1
    picked = np.nonzero(first >= 0)[0]
    free[picked] = ~adjacency[picked, first[picked]]
    free[picked, first[picked]] = False
    return free


class Picker(nn.Module):
    """Value of each node as the next pick: what the objective will gain until the budget is used.

    A stack of sum-aggregating layers (GIN) over degree, budget and the end that was picked, then a
    head over the node, the mean of all nodes, and the picked end; one head for first picks, one
    for second ones. The two-step pick and the sum aggregation follow RNet-DQN (structure2vec).

    Parameters
    ----------
    hidden
        Width of all layers.
    layers
        Rounds of messages.

    References
    ----------
    Darvariu, Hailes and Musolesi, Goal-directed graph construction using reinforcement learning,
    Proceedings of the Royal Society A 477, 2021; Xu et al., How powerful are graph neural networks,
    ICLR 2019.
    """

    def __init__(self, *, hidden: int = 64, layers: int = 4) -> None:
        super().__init__()
        self.hidden = whole("Picker", "hidden", hidden, 4, 1024)
        self.layers = whole("Picker", "layers", layers, 1, 16)
        self.enter = nn.Linear(_INPUTS, hidden)
        self.rounds = nn.ModuleList(
            GINConv(
                nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, hidden)),
                train_eps=True,
            )
            for _ in range(layers)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(layers))
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(3 * hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
            for _ in range(2)
        )

    def forward(self, adjacency: Tensor, first: Tensor, left: Tensor) -> Tensor:
        """Return the values (B, n) of picking each node.

        `adjacency` is (B, n, n) of bool, `first` (B,) the picked end or -1, `left` (B,) the edges
        that may still be added.
        """
        batch, size = adjacency.shape[:2]
        picked = first >= 0
        mark = torch.zeros(batch, size)
        mark[picked, first[picked]] = 1.0
        degree = adjacency.sum(dim=2).float()
        told = [
            degree / 10.0,
            1.0 / (1.0 + degree),
            mark,
            picked.float()[:, None].expand(batch, size),
            (left.float() / 10.0)[:, None].expand(batch, size),
        ]
        x = self.enter(torch.stack(told, dim=2).reshape(batch * size, _INPUTS))
        where, head, tail = adjacency.nonzero(as_tuple=True)
        edges = torch.stack([where * size + head, where * size + tail])
        for layer, norm in zip(self.rounds, self.norms, strict=True):
            x = x + torch.relu(norm(layer(x, edges)))
        nodes = x.reshape(batch, size, self.hidden)
        whole_graph = nodes.mean(dim=1, keepdim=True).expand_as(nodes)
        end = (nodes * mark[:, :, None]).sum(dim=1, keepdim=True).expand_as(nodes)
        seen = torch.cat([nodes, whole_graph, end], dim=2)
        values = [head_(seen).squeeze(2) for head_ in self.heads]
        found: Tensor = torch.where(picked[:, None], values[1], values[0])
        return found

    @torch.no_grad()
    def best(self, adjacency: np.ndarray, first: np.ndarray, left: np.ndarray) -> np.ndarray:
        """Return the highest rated node (B,) that may be picked, the first of equals."""
        values = self(torch.from_numpy(adjacency), torch.from_numpy(first), torch.from_numpy(left))
        rated = np.where(allowed(adjacency, first), values.numpy(), -np.inf)
        found: np.ndarray = rated.argmax(axis=1)
        return found

    def design(self, network: Network, budget: int) -> list[Pair]:
        """Return the edges that are added to a network, one after another."""
        added: list[Pair] = []
        while len(added) < budget and network.missing:
            ends = np.array([-1])
            stack, left = network.adjacency[None], np.array([budget - len(added)])
            one = self.best(stack, ends, left)
            other = self.best(stack, one, left)
            added.append(pair(int(one[0]), int(other[0])))
            network = network.changed(added[-1:])
        return added


def save(picker: Picker, folder: str | Path) -> None:
    """Write a network: `picker.json` and `model.safetensors`; nothing in them is code."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    weights = safetensors.torch.save({n: w.contiguous() for n, w in picker.state_dict().items()})
    described = {
        "kind": "design-picker",
        "hidden": picker.hidden,
        "layers": picker.layers,
        "weights": hashlib.sha256(weights).hexdigest(),
    }
    (place / _WEIGHTS).write_bytes(weights)
    (place / _FILE).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def load(folder: str | Path) -> Picker:
    """Return the network of a folder.

    Raises
    ------
    DataError
        If the folder holds none, or its two files do not belong together.
    """
    place = Path(folder)
    try:
        described = json.loads((place / _FILE).read_text(encoding="utf-8"))
        weights = (place / _WEIGHTS).read_bytes()
    except (OSError, ValueError) as error:
        raise DataError(
            f"no designing network in {place} ({error}); graphenv.agents.design.learning.learn "
            "trains one, graphenv.agents.design.picker.save writes it"
        ) from error
    if not isinstance(described, dict) or described.get("kind") != "design-picker":
        raise DataError(f"{place / _FILE} does not describe a designing network")
    if hashlib.sha256(weights).hexdigest() != described.get("weights"):
        raise DataError(f"{place}: {_WEIGHTS} is not the file that {_FILE} describes; train again")
    try:
        picker = Picker(hidden=described["hidden"], layers=described["layers"])
        picker.load_state_dict(safetensors.torch.load(weights))
    except (KeyError, ConfigError, RuntimeError) as error:
        raise DataError(f"{place / _FILE} does not fit its weights: {error}") from error
    return picker.eval()
