"""`GNNScorer`: a trained network as a frozen scorer of states."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from graphenv.agents.gnn import files
from graphenv.agents.gnn.encoders import MOST_NODES
from graphenv.agents.gnn.features import tensors
from graphenv.agents.gnn.files import Calibration
from graphenv.agents.gnn.links import Asked, plan
from graphenv.agents.gnn.model import ScorerModel
from graphenv.agents.gnn.schema import Schema
from graphenv.agents.gnn.texts import text_vectors
from graphenv.checks import one_of, whole
from graphenv.errors import ConfigError
from graphenv.graph import Triple
from graphenv.scorers import Judged, View

__all__ = ["GNNScorer"]

_Case = TypeVar("_Case")
_DIGITS = 6
_WORK = 1 << 16
_WORK_SQUARED = 1 << 23
_MOST = 1024
_REMEMBERED_ITEMS = 2_000_000


class GNNScorer:
    """A graph network that says how promising a half-built graph is.

    It never learns: the network is copied, in eval mode, without dropout. What it says of a state
    does not depend on what else is asked, nor on the machine: it computes in double precision and
    rounds to six digits. Equal states (same question, same graph with the same node order) are
    scored once.

    Parameters
    ----------
    model
        The network; it is copied.
    schema
        What it was made for.
    calibration
        From log-odds to probabilities.
    notes
        JSON-able remarks that are kept in its file: how it was trained, what it reached.
    device
        `"auto"` (a GPU if there is one), `"cpu"` or `"cuda"`.
    remember
        How many states are kept with their values; 0 for none.

    Raises
    ------
    ConfigError
        If `device` is not one of these or there is no GPU.

    Examples
    --------
    >>> from graphenv.agents.gnn.model import ModelConfig, build_model
    >>> from graphenv.graph import Graph
    >>> views = [View("who directed Heat?", Graph.from_triples([("Heat", "directed_by", "Mann")]))]
    >>> schema = Schema.of(views)
    >>> scorer = GNNScorer(build_model(ModelConfig(hidden=16), schema), schema)
    >>> 0.0 < scorer.values(views)[0].value < 1.0
    True
    """

    def __init__(
        self,
        model: ScorerModel,
        schema: Schema,
        calibration: Calibration | None = None,
        *,
        notes: Mapping[str, Any] | None = None,
        device: str = "auto",
        remember: int = 1 << 14,
    ) -> None:
        self.schema = schema
        self.calibration = calibration or Calibration()
        self.notes = dict(notes or {})
        self.device = _device(device)
        self.model = copy.deepcopy(model).to(self.device).double().eval().requires_grad_(False)
        self._remember = whole("GNNScorer", "remember", remember, 0)
        self._known: OrderedDict[View, Judged] = OrderedDict()
        self._items = 0

    # -- files --------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the scorer into a folder, which is made if need be, and return it."""
        path = Path(folder)
        files.write(path, self.model, self.schema, self.calibration, self.notes)
        return path

    @classmethod
    def load(
        cls, folder: str | Path, *, device: str = "auto", remember: int = 1 << 14
    ) -> GNNScorer:
        """Return the scorer that `save` wrote.

        Raises
        ------
        DataError
            If a file is missing, broken, or does not belong to the other.
        ConfigError
            If `device` is wrong, or the schema names a text model that is not there.
        """
        model, schema, calibration, notes = files.read(Path(folder))
        return cls(model, schema, calibration, notes=notes, device=device, remember=remember)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of weights, shape, schema and calibration; the same after `save` and `load`."""
        described = [
            self.schema.to_json(),
            self.model.config.to_json(),
            self.calibration.to_json(),
            files.digest(files.packed(self.model)),
        ]
        return files.digest(json.dumps(described, sort_keys=True).encode())

    # -- asking it ----------------------------------------------------------------------------

    def values(self, views: Sequence[View]) -> list[Judged]:
        """Return for each state the probability in [0, 1] that it leads to success.

        `None` with the reason where the state has an entity kind that the scorer does not know, or
        is too large.
        """
        found: dict[View, Judged] = {}
        new: list[View] = []
        for view in dict.fromkeys(views):
            known = self._known.get(view)
            if known is not None:
                self._known.move_to_end(view)
                found[view] = known
            elif reason := self._refuses(view):
                found[view] = Judged(None, reason)
            else:
                new.append(view)
        for part in self._parts(new, _itself):
            for view, value in zip(part, self._ask(part), strict=True):
                found[view] = Judged(value)
                self._keep(view, found[view])
        return [found[view] for view in views]

    def links(self, views: Sequence[View], triples: Sequence[Triple]) -> list[Judged]:
        """Return for each (state, head-relation-tail by node ids) the probability of that edge.

        An edge that stands in its graph is judged from the graph without it. In an undirected graph
        both ways around give the same. `None` with the reason where `values`
        gives none, or an end is not in the graph.

        Raises
        ------
        ConfigError
            If there are not as many states as triples.
        """
        found, asked = plan(views, triples, self._refuses)
        for part in self._parts(asked, lambda case: case.view):
            queries = [query for case in part for query in case.queries]
            for query, chance in zip(queries, self._ask_links(part), strict=True):
                found[query.place] = Judged(chance)
        return [judged for judged in found if judged is not None]

    def classify(self, views: Sequence[View]) -> list[tuple[float, ...] | None]:
        """Return for each state the probabilities of `model.config.classes`, in their order.

        `None` where `values` gives none.

        Raises
        ------
        ConfigError
            If the network has no such head.
        """
        if self.model.classes is None:
            raise ConfigError(
                "classify: this scorer has no classes. Train it with ModelConfig(classes=...)."
            )
        found: dict[View, tuple[float, ...] | None] = {
            view: None for view in views if self._refuses(view)
        }
        new = [view for view in dict.fromkeys(views) if view not in found]
        for part in self._parts(new, _itself):
            with torch.inference_mode():
                logits = self.model(self._batch(part)).class_logits
                rows = logits.softmax(dim=1).tolist()
            found.update(
                (view, tuple(round(p, _DIGITS) for p in row))
                for view, row in zip(part, rows, strict=True)
            )
        return [found[view] for view in views]

    def forget(self) -> None:
        """Drop all remembered states."""
        self._known.clear()
        self._items = 0

    # -- inside -------------------------------------------------------------------------------

    def _refuses(self, view: View) -> str:
        encoder = self.model.config.encoder
        most = MOST_NODES.get(encoder)
        if most is not None and len(view.graph) > most:
            return (
                f"the graph has {len(view.graph)} nodes; the encoder {encoder!r} takes {most}. "
                "Train a scorer with another encoder for such graphs, such as rgcn."
            )
        return self.schema.refuses(view)

    def _parts(
        self, cases: Sequence[_Case], view_of: Callable[[_Case], View]
    ) -> Iterator[list[_Case]]:
        """Yield cases in parts, by size: what a large graph costs is not paid for small ones."""
        squared = self.model.config.encoder in MOST_NODES
        most = _WORK_SQUARED if squared else _WORK
        part: list[_Case] = []
        for case in sorted(cases, key=lambda case: _weight(view_of(case))):
            view = view_of(case)
            each = len(view.graph) ** 2 if squared else _weight(view)
            if part and (len(part) == _MOST or (len(part) + 1) * each > most):
                yield part
                part = []
            part.append(case)
        if part:
            yield part

    def _batch(self, views: Sequence[View]) -> SimpleNamespace:
        return tensors(views, self.schema, self.device)

    def _ask(self, views: Sequence[View]) -> list[float]:
        with torch.inference_mode():
            logits = self.model(self._batch(views)).value_logit
        scale = self.calibration
        return _chances(logits / scale.temperature + scale.shift)

    def _ask_links(self, asked: Sequence[Asked]) -> list[float]:
        ends, names, directed, offset = [], [], [], 0
        for view, queries in asked:
            ends += [(edge.head + offset, edge.tail + offset) for _, edge in queries]
            names += [edge.relation for _, edge in queries]
            directed += [view.graph.directed] * len(queries)
            offset += len(view.graph)
        relations = text_vectors(self.schema.text).rows(names).astype(np.float64)
        with torch.inference_mode():
            relation = torch.from_numpy(relations).to(self.device)
            start, end = torch.tensor(ends, device=self.device).T
            batch = self._batch([case.view for case in asked])
            said = self.model(batch)
            logits = self.model.link_logits(said, batch, start, relation, end)
            back = self.model.link_logits(said, batch, end, relation, start)
            one_way = torch.tensor(directed, device=self.device)
            logits = torch.where(one_way, logits, (logits + back) / 2)
        scale = self.calibration
        return _chances(logits / scale.link_temperature + scale.link_shift)

    def _keep(self, view: View, judged: Judged) -> None:
        weight = _weight(view)
        if not self._remember or weight > _REMEMBERED_ITEMS // 16:
            return
        self._known[view] = judged
        self._items += weight
        while len(self._known) > self._remember or self._items > _REMEMBERED_ITEMS:
            old, _ = self._known.popitem(last=False)
            self._items -= _weight(old)


def _weight(view: View) -> int:
    return len(view.graph) + view.graph.num_edges + 1


def _itself(view: View) -> View:
    return view


def _chances(logits: Tensor) -> list[float]:
    return [round(value, _DIGITS) for value in logits.sigmoid().cpu().tolist()]


def _device(name: str) -> torch.device:
    one_of("GNNScorer", "device", name, ("auto", "cpu", "cuda"))
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ConfigError("GNNScorer: device='cuda', but torch finds no GPU. Give 'cpu' or 'auto'.")
    return torch.device("cuda" if there and name != "cpu" else "cpu")
