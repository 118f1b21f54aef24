"""What every target is held to: checks of one target on a split of tiny data, read through a backbone."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from bench.answers import Rows
from bench.backbone import Backbone, Head, Reader
from bench.budget import ALL, Count, Share
from bench.column import Column, concatenate, digest
from bench.planning.budgets import Budgets
from bench.probing.encoded import as_tensors
from bench.probing.linear import LinearHead, put
from bench.scoring import score
from bench.subsets.seeds import stream
from bench.target import Target, combine_by, rank_by
from bench.targets.registered import target_of, target_record
from bench.task import Examples, Split, fingerprint
from bench.testing.backbones import predictions_of
from bench.testing.tasks import labels_of
from bench.training.inference import ReadFeatures, read_all

CPU: Final = torch.device("cpu")
STEPS: Final = 30
RATE: Final = 1e-2
VIEWS: Final = 4  # of augmented examples
SOME: Final = 8  # examples that answers are shown of


@dataclass(frozen=True, eq=False)
class TargetCase:
    """A target with the split that it is checked on, and a backbone that offers its readout."""

    target: Target
    split: Split
    backbone: Backbone

    @property
    def labels(self) -> Column:
        """The labels that are learnt from."""
        return labels_of(self.target, self.split.train)

    @cached_property
    def learnt(self) -> ReadFeatures:
        """What is read of the training examples."""
        return self.read(self.split.train)

    @cached_property
    def tested(self) -> ReadFeatures:
        """What is read of the test examples."""
        return self.read(self.split.test)

    def read(self, examples: Examples) -> ReadFeatures:
        """Return what the target reads of examples, with their geometry."""
        inputs = self.backbone.prepare(examples.raw)
        return read_all(self.backbone, self.backbone.stages, inputs, self.target.readout, precision="float32")

    def head(self) -> nn.Module:
        """Return a head that has learnt nothing."""
        return self.target.objective.head(self.backbone.widths(self.target.readout))

    def predict(self, head: nn.Module, read: ReadFeatures) -> Column:
        """Return the predictions of features, on the scale of the labels."""
        codec, objective = self.target.codec.fit(self.labels), self.target.objective
        with torch.inference_mode():
            outputs = tuple(one.float() for one in head(read.features))
        return codec.decode(objective.predict(outputs, read.geometry), read.geometry)

    def score(self, predictions: Column) -> Mapping[str, float | None]:
        """Return the value of each metric of predictions of the test examples."""
        test = self.split.test
        labels = labels_of(self.target, test)
        blocks = self.target.sampling.blocks(labels, test.facts, test.groups, fingerprint(self.split))
        return score(self.target.metrics, predictions, labels, test.facts, blocks).values


TargetCheck = Callable[[TargetCase], None]


def check_target(target: Target, split: Split, backbone: Backbone) -> None:
    """Assert all that a target is held to; it is installed, so that its name stands for it."""
    case = TargetCase(target, split, backbone)
    for check in TARGET_CHECKS:
        check(case)


def what_is_exported_makes_the_target_again(case: TargetCase) -> None:
    again = target_of(json.loads(json.dumps(target_record(case.target))))
    assert again == case.target, f"its fields make another one, {again}"
    assert again.metrics[0].card == case.target.metrics[0].card, "of the same score"


def the_metrics_have_names_and_each_can_rank(case: TargetCase) -> None:
    names = [metric.card.name for metric in case.target.metrics]
    assert len(names) == len(set(names)) > 0, f"metrics have names of their own: {names}"
    for name in names:
        assert rank_by(case.target, name).metrics[0].card.name == name, f"metric {name} can rank"
        assert rank_by(case.target, name) == case.target, "a head serves it whatever ranks"


def budgets_nest_and_count_in_the_unit(case: TargetCase) -> None:
    target, train = case.target, case.split.train
    for seed in (0, 1):
        budgets = Budgets(target, case.labels, train.facts)
        everything, half = budgets.draw(ALL, seed), budgets.draw(Share(0.5), seed)
        assert everything.rows.tolist() == list(range(len(train))), "all are all"
        assert set(half.rows.tolist()) < set(everything.rows.tolist()), "half is less than all"
        assert 0 < half.amount < everything.amount, f"amounts are in {target.unit}, and grow with the rows"
        assert digest(half.labels) == digest(case.labels.take(half.rows)), "labels are those of the rows"
        count = budgets.draw(Count(int(half.amount)), seed)
        assert set(count.rows.tolist()) <= set(half.rows.tolist()), "counts and shares nest alike"
    order = target.sampling.order(case.labels, train.facts, stream(0, "subset"))
    amounts = target.sampling.amounts(case.labels, train.facts, order)
    assert amounts.shape == (len(train),), "an amount for every number of examples"
    assert (np.diff(amounts) >= 0).all(), "more examples are no less"


def folds_and_blocks_keep_groups_together(case: TargetCase) -> None:
    sampling, train, test = case.target.sampling, case.split.train, case.split.test
    folds = sampling.folds(case.labels, train.facts, train.groups, stream(0, "folds"))
    _check_parts("folds", folds, train)
    content = fingerprint(case.split)
    labels = labels_of(case.target, test)
    blocks, again = (sampling.blocks(labels, test.facts, test.groups, content) for _ in range(2))
    assert np.array_equal(blocks, again), "test blocks are those of the data, always the same"
    _check_parts("test blocks", blocks, test)


def _check_parts(what: str, parts: np.ndarray | None, examples: Examples) -> None:
    if parts is None:
        return
    assert parts.shape == (len(examples),), f"{what}: one for each example"
    assert np.bincount(parts).all(), f"{what} are 0, 1, …, and none is empty"
    if examples.groups is not None:
        pairs = set(zip(examples.groups.tolist(), parts.tolist(), strict=True))
        assert len(pairs) == len(set(examples.groups.tolist())), f"{what}: a group is in one of them"


def decoding_undoes_encoding(case: TargetCase) -> None:
    """In the geometry of prepared inputs, and where the backbone augments them in that of several views of them."""
    codec, labels = case.target.codec.fit(case.labels), labels_of(case.target, case.split.test)
    for geometry in (case.tested.geometry, *_augmented(case)):
        for one in (codec, case.target.codec.restored(json.loads(json.dumps(codec.state())))):
            encoded = one.encode(labels, geometry)
            assert len(encoded) == len(labels), "an entry for each example"
            decoded = one.decode(encoded, geometry).arrays()
            for name, array in labels.arrays().items():
                assert decoded[name].shape == array.shape, f"{name}: {array.shape}, decoded {decoded[name].shape}"
                if array.dtype.kind == "f":
                    np.testing.assert_allclose(decoded[name], array, rtol=1e-5, atol=1e-6)
                else:
                    np.testing.assert_array_equal(decoded[name], array)


def _augmented(case: TargetCase) -> Iterator[Column | None]:
    """Yield the geometry of several views of the test examples, as training sees them."""
    for seed in range(VIEWS if case.backbone.augments else 0):
        prepared = case.backbone.prepare(case.split.test.raw)
        one, same = (case.backbone.augment(prepared, torch.Generator().manual_seed(seed)) for _ in range(2))
        assert torch.equal(one.values, same.values), "views are those of the generator"
        assert len(one) == len(prepared), "a view of each example"
        yield one.geometry


def a_head_begins_as_nothing_and_learns(case: TargetCase) -> None:
    objective, geometry = case.target.objective, case.learnt.geometry
    head, features = case.head(), tuple(values.clone() for values in case.learnt.features)
    assert all(bool((outputs == 0).all()) for outputs in head(features)), "a fresh head puts out zeros"
    encoded = as_tensors(case.target.codec.fit(case.labels).encode(case.labels, geometry), CPU)
    optimizer, losses = torch.optim.Adam(head.parameters(), lr=RATE), []
    for _ in range(STEPS):
        loss: Tensor = objective.loss(head(features), encoded, geometry)
        assert loss.shape == (), f"a loss is a scalar, got {tuple(loss.shape)}"
        assert loss.isfinite(), f"a loss is a number, got {float(loss)}"
        optimizer.zero_grad()
        loss.backward()
        unused = [name for name, parameter in head.named_parameters() if parameter.grad is None]
        assert not unused, f"no gradient reaches {unused}"
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0], f"{STEPS} steps led from {losses[0]:.4f} to {losses[-1]:.4f}"


def the_loss_of_a_batch_is_a_mean(case: TargetCase) -> None:
    """Twice the same examples are as dear as once: else rates would depend on the size of batches."""
    codec, rows = case.target.codec.fit(case.labels), np.arange(min(SOME, len(case.labels)))
    losses = []
    for several in (rows, np.concatenate([rows, rows])):
        read, labels = case.learnt.take(torch.from_numpy(several)), case.labels.take(several)
        encoded = as_tensors(codec.encode(labels, read.geometry), CPU)
        losses.append(float(case.target.objective.loss(_some_outputs(case, read), encoded, read.geometry)))
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4, err_msg="the loss of a batch is a mean")


def a_prediction_does_not_depend_on_the_other_examples(case: TargetCase) -> None:
    head, rows = _some_head(case), torch.arange(min(SOME, len(case.split.test)))
    together = case.predict(head, case.tested.take(rows))
    assert len(together) == len(rows), "a prediction for each example"
    alone = concatenate([case.predict(head, case.tested.take(row[None])) for row in rows])
    for name, array in together.arrays().items():
        np.testing.assert_allclose(alone.arrays()[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def every_metric_scores_predictions_and_the_baseline(case: TargetCase) -> None:
    test, head = case.split.test, _some_head(case)
    guesses = {
        f"the baseline {one.title!r}": one.predict(case.labels, test.raw, test.facts) for one in case.target.baselines
    }
    several = {**guesses, "a head": case.predict(head, case.tested)}
    scores = {what: case.score(predictions) for what, predictions in several.items()}
    ranking = case.target.metrics[0].card.name
    for what, predictions in several.items():
        assert len(predictions) == len(test), f"{what} predicts each example"
        assert scores[what][ranking] is not None, f"the score of {what} is defined: it ranks"
    undefined = [{name for name, value in values.items() if value is None} for values in scores.values()]
    assert all(one == undefined[0] for one in undefined), (
        "the examples say what is not defined, whatever is predicted: any metric can rank"
    )
    titles = [one.title for one in case.target.baselines]
    assert titles, "there is a baseline"
    assert len({title.strip() for title in titles} - {""}) == len(titles), "each has a title of its own"


def metrics_do_not_depend_on_the_order_of_examples(case: TargetCase) -> None:
    test = case.split.test
    order = np.random.default_rng(0).permutation(len(test))
    predictions, labels = case.predict(_some_head(case), case.tested), labels_of(case.target, test)
    facts = None if test.facts is None else test.facts.take(order)
    for metric in case.target.metrics:
        one = metric.compute(predictions, labels, test.facts)
        other = metric.compute(predictions.take(order), labels.take(order), facts)
        assert (one is None) == (other is None), metric.card.name
        np.testing.assert_allclose(other or 0.0, one or 0.0, rtol=1e-6, atol=1e-9, err_msg=metric.card.name)


def combined_predictions_are_scored_like_single_ones(case: TargetCase) -> None:
    test, predictions = case.split.test, case.predict(_some_head(case), case.tested)
    labels, single = labels_of(case.target, test), np.array([f"{row:09d}" for row in range(len(test))])
    for name, combine in case.target.combinations.items():
        assert combine_by(case.target, name).combined_by == name, f"{name} can be chosen"
        assert combine_by(case.target, name) == case.target, "a head serves it however predictions are combined"
        alone = combine(predictions, labels, single)
        twice = combine(concatenate([predictions] * 2), concatenate([labels] * 2), np.tile(single, 2))
        for metric in case.target.metrics:
            expected = metric.compute(predictions, labels, test.facts)
            for found in (alone, twice):
                assert found.rows.tolist() == list(range(len(test))), f"{name}: an entry for each unit, in their order"
                value = metric.compute(found.predictions, found.labels, test.facts)
                assert (value is None) == (expected is None), f"{name}: {metric.card.name}"
                np.testing.assert_allclose(
                    value or 0.0, expected or 0.0, rtol=1e-4, atol=1e-5, err_msg=f"{name}: {metric.card.name}"
                )


def a_solver_gets_a_row_for_each_label(case: TargetCase) -> None:
    objective, read = case.target.objective, case.learnt
    if objective.problem() is None:
        return
    assert isinstance(case.head(), LinearHead), "what is solved is linear"
    encoded = as_tensors(case.target.codec.fit(case.labels).encode(case.labels, read.geometry), CPU)
    rows = objective.rows(read.features, encoded, read.geometry)
    assert rows.features.ndim == 2, "features are [rows, width]"
    assert len(rows.labels) == len(rows.features), "a label for each row"
    owners = torch.arange(len(case.labels)) if rows.owners is None else rows.owners
    assert len(owners) == len(rows.features), "an example for each row"
    assert 0 <= int(owners.min()) <= int(owners.max()) < len(case.labels), "owners are examples"


def what_the_backbone_brings_is_on_its_card_and_predicts(case: TargetCase) -> None:
    """A whole reader predicts what the target scores, and its own loss moves its head."""
    backbone, target, train = case.backbone, case.target, case.split.train
    brought, said = backbone.brings(target), backbone.card.brings
    if brought is None:
        assert target.identity not in said, "the card says that it brings a head for this target"
        return
    assert target.among(said), f"the card does not say that it brings a head for {target.identity}"
    if isinstance(brought, Head):
        put(brought, case.head())
        return
    values = case.score(predictions_of(brought, backbone, case.split.test.raw))
    assert values[target.metrics[0].card.name] is not None, "what it predicts has a score"
    loss = _loss_of(brought, backbone, train, case.labels)
    assert loss.ndim == 0, f"the loss is a scalar: got {tuple(loss.shape)}"
    assert torch.isfinite(loss), "the loss is a number"
    moved = torch.autograd.grad(
        loss, [one for one in brought.head.parameters() if one.requires_grad], allow_unused=True
    )
    assert any(one is not None and bool(one.any()) for one in moved), "its loss moves its head"


def answers_are_fit_for_tables_and_json(case: TargetCase) -> None:
    rows = np.arange(min(SOME, len(case.split.test)))
    raw = case.split.test.raw.take(rows)
    answers = case.target.answers(case.predict(_some_head(case), case.tested).take(rows), raw, 1)
    assert len(answers.records) == len(rows), "a record for each example"
    json.dumps(answers.records, allow_nan=False)
    if isinstance(answers, Rows):
        assert len(answers.lines) == len(rows), "lines for each example"
        widths = {len(line) for lines in answers.lines for line in lines}
        assert widths <= {len(answers.headings)}, f"cells under {answers.headings}, got {widths}"


TARGET_CHECKS: Final[tuple[TargetCheck, ...]] = (
    what_is_exported_makes_the_target_again,
    the_metrics_have_names_and_each_can_rank,
    budgets_nest_and_count_in_the_unit,
    folds_and_blocks_keep_groups_together,
    decoding_undoes_encoding,
    a_head_begins_as_nothing_and_learns,
    the_loss_of_a_batch_is_a_mean,
    a_prediction_does_not_depend_on_the_other_examples,
    every_metric_scores_predictions_and_the_baseline,
    metrics_do_not_depend_on_the_order_of_examples,
    combined_predictions_are_scored_like_single_ones,
    a_solver_gets_a_row_for_each_label,
    what_the_backbone_brings_is_on_its_card_and_predicts,
    answers_are_fit_for_tables_and_json,
)
"""Each asserts one thing of a target."""


def _loss_of(reader: Reader, backbone: Backbone, examples: Examples, labels: Column) -> Tensor:
    """Return the loss of a whole reader on examples with their labels."""
    read = read_all(backbone, backbone.stages, backbone.prepare(examples.raw), reader.readout, precision="float32")
    encoded = as_tensors(reader.codec.encode(labels, read.geometry), CPU)
    features = tuple(values.clone() for values in read.features)  # out of inference mode
    return reader.objective.loss(reader.head(features), encoded, read.geometry)


def _some_head(case: TargetCase) -> nn.Module:
    """Return a head of small random weights."""
    head, generator = case.head(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return head


def _some_outputs(case: TargetCase, read: ReadFeatures) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        outputs: tuple[Tensor, ...] = _some_head(case)(read.features)
    return outputs
