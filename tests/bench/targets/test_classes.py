"""Classes: scores, losses and baselines are what a hand calculation or an independent implementation says."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import Tensor, nn

from bench.answers import Rows
from bench.column import Column, dense
from bench.domains.text.raw import Texts
from bench.metric import Metric
from bench.probing.linear import LinearHead
from bench.probing.problem import Softmax
from bench.subsets.seeds import stream
from bench.target import Objective, rank_by
from bench.targets.classes import Classes

CLASSES = Classes(("a", "b", "c"))
WORDS = Texts(("x",) * 4)


def labels_of(*classes: int) -> Column:
    return dense(**{"class": np.array(classes, dtype=np.int64)})


def metric(target: Classes, name: str) -> Metric:
    return next(one for one in target.metrics if one.card.name == name)


def loss(objective: Objective, outputs: Tensor, labels: Tensor) -> Tensor:
    return objective.loss((outputs,), {"class": labels}, None)


def test_accuracy_is_the_score_and_counts_the_largest_output() -> None:
    outputs = dense(logit=np.array([[3, 1, 0], [0, 2, 1], [0, 0, 1], [9, 0, 0]], dtype=np.float32))
    first = CLASSES.metrics[0]
    assert first.card.name == "accuracy"
    assert first.compute(outputs, labels_of(0, 1, 2, 2), None) == 0.75


def test_chance_is_the_most_frequent_training_class_for_every_example() -> None:
    predicted = CLASSES.baselines[0].predict(labels_of(0, 0, 1, 0), WORDS, None)
    assert predicted["logit"].shape == (4, 3)
    assert predicted["logit"].dtype == np.float32
    assert metric(CLASSES, "accuracy").compute(predicted, labels_of(0, 0, 0, 1), None) == 0.75
    assert metric(CLASSES, "accuracy").compute(predicted, labels_of(1, 1, 0, 1), None) == 0.25, "of the training split"


def test_chance_says_the_shares_of_the_classes_so_that_probabilities_are_scored_fairly() -> None:
    train, test = [0, 0, 0, 1, 1, 2], labels_of(0, 1, 2, 0)
    predicted = CLASSES.baselines[0].predict(labels_of(*train), WORDS, None)
    shares = np.tile([3 / 6, 2 / 6, 1 / 6], (4, 1))
    found = metric(CLASSES, "log_loss").compute(predicted, test, None)
    assert found == pytest.approx(log_loss([0, 1, 2, 0], shares), rel=1e-6)


def test_the_loss_of_classes_is_torchs_cross_entropy() -> None:
    outputs, labels = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1])
    expected = nn.functional.cross_entropy(outputs, labels)
    torch.testing.assert_close(loss(CLASSES.objective, outputs, labels), expected)
    smoothed = nn.functional.cross_entropy(outputs, labels, label_smoothing=0.1)
    smoothing = Classes(CLASSES.names, smoothing=0.1).objective
    torch.testing.assert_close(loss(smoothing, outputs, labels), smoothed)
    torch.testing.assert_close(loss(CLASSES.objective, outputs.bfloat16().float(), labels), expected, rtol=1e-2, atol=0)


def test_a_head_of_classes_puts_out_zeros_and_is_solved_as_a_softmax() -> None:
    head = CLASSES.objective.head([6])
    assert isinstance(head, LinearHead)
    (outputs,) = head((torch.randn(4, 6),))
    assert outputs.tolist() == [[0.0] * 3] * 4
    assert CLASSES.objective.problem() == Softmax(3)


def test_labels_and_logits_have_no_geometry() -> None:
    labels, outputs = labels_of(2, 0), torch.tensor([[1.0, 2.0, 3.0]])
    codec = CLASSES.codec.fit(labels)
    assert codec.encode(labels, None) is labels
    predicted = codec.decode(CLASSES.objective.predict((outputs,), None), None)
    assert predicted["logit"].tolist() == outputs.tolist()
    assert codec.restored(codec.state()) == codec


def test_folds_need_two_examples_of_every_class() -> None:
    sampling = CLASSES.sampling
    assert sampling.folds(labels_of(0, 0, 1, 1, 2), None, None, stream(0, "folds")) is None
    folds = sampling.folds(labels_of(0, 0, 1, 1, 2, 2), None, None, stream(0, "folds"))
    assert folds is not None
    assert set(folds.tolist()) == {0, 1}


def test_a_class_that_no_example_has_leaves_no_folds() -> None:
    sampling = Classes(("a", "b", "c", "d")).sampling
    assert sampling.folds(labels_of(*[0, 1, 2] * 9), None, None, stream(0, "folds")) is None


def test_every_beginning_of_an_order_has_each_class_from_the_first_on() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 4])
    order = CLASSES.sampling.order(labels_of(*labels), None, stream(3, "subset"))
    assert sorted(order.tolist()) == list(range(84))
    assert set(labels[order[:3]].tolist()) == {0, 1, 2}
    shares = np.bincount(labels[order[:42]], minlength=3)
    assert abs(shares - np.array([25, 15, 2])).max() <= 1
    assert CLASSES.sampling.fewest(None)[0] == 3


def test_test_blocks_are_those_of_the_data_and_keep_groups_together() -> None:
    labels, groups = labels_of(*np.arange(300) % 3), np.array([f"voice {row // 5}" for row in range(300)])
    one = CLASSES.sampling.blocks(labels, None, groups, "61f4")
    assert (one == CLASSES.sampling.blocks(labels, None, groups, "61f4")).all()
    assert (one != CLASSES.sampling.blocks(labels, None, groups, "of others")).any()
    assert len(set(zip(one.tolist(), groups.tolist(), strict=True))) == 60
    assert set(one.tolist()) == set(range(int(one.max()) + 1))


def test_answers_are_the_most_probable_classes_with_their_probabilities() -> None:
    logits = np.log(np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])).astype(np.float32)
    found = CLASSES.answers(dense(logit=logits), WORDS, 2)
    assert isinstance(found, Rows)
    assert found.headings == ("label", "probability")
    assert found.lines == [[("b", "0.700"), ("a", "0.200")], [("a", "0.500"), ("b", "0.250")]], (
        "of equal ones the first"
    )
    first = found.records[0]
    assert (first["label"], first["probability"]) == ("b", pytest.approx(0.7, abs=1e-6))
    assert [one["label"] for one in first["top"]] == ["b", "a"]
    alone = CLASSES.answers(dense(logit=logits), WORDS, 1)
    assert isinstance(alone, Rows)
    assert set(alone.records[0]) == {"label", "probability"}


def test_a_large_logit_is_a_probability_too() -> None:
    found = CLASSES.answers(dense(logit=np.array([[1000.0, 0.0, -1000.0]], dtype=np.float32)), WORDS, 1)
    assert isinstance(found, Rows)
    assert found.records == [{"label": "a", "probability": 1.0}]


def test_another_metric_can_be_the_score_and_makes_no_other_target() -> None:
    ranked = rank_by(CLASSES, "log_loss")
    assert ranked.metrics[0].card.name == "log_loss"
    assert {one.card.name for one in ranked.metrics} == {one.card.name for one in CLASSES.metrics}
    assert ranked == CLASSES


def test_a_target_reads_the_column_that_it_names() -> None:
    assert (CLASSES.reads, Classes(("a", "b"), column="queue").reads) == ("class", "queue")
