"""Leaving out of a token table what a task does not hold changes nothing that is computed."""

import copy

import torch

from bench.backbone import Batch, TokenStage, run_stages
from bench.backbones.catalog import MINILM
from bench.backbones.loading import load_backbone
from bench.domain import Texts
from bench.training.vocabulary import Vocabulary


def test_features_and_gradients_are_those_of_the_whole_table() -> None:
    backbone = load_backbone(MINILM.name)
    train = backbone.prepare(Texts(("a fine day", "awful weather today")))
    test = backbone.prepare(Texts(("fine weather",)))
    stages, small = copy.deepcopy(backbone.stages), copy.deepcopy(backbone.stages)
    vocabulary = Vocabulary(train, test)
    first = small[0]
    assert isinstance(first, TokenStage)
    vocabulary.narrow(first)
    used = torch.cat([train.values.flatten(), test.values.flatten()]).unique()
    assert first.table.weight.shape == (len(used), backbone.card.width)
    for inputs in (train, test):
        whole, narrowed = run_stages(stages, inputs).values, run_stages(small, vocabulary.renumber(inputs)).values
        torch.testing.assert_close(narrowed, whole, rtol=0, atol=0)
        whole.sum().backward()
        narrowed.sum().backward()
    whole_first = stages[0]
    assert isinstance(whole_first, TokenStage)
    of_whole = whole_first.table.weight.grad
    assert of_whole is not None
    assert first.table.weight.grad is not None
    torch.testing.assert_close(first.table.weight.grad, of_whole[used])


def test_renumbered_inputs_keep_their_lengths() -> None:
    batch = Batch(torch.tensor([[7, 9, 0], [9, 9, 9]]), torch.tensor([2, 3]))
    renumbered = Vocabulary(batch).renumber(batch)
    assert renumbered.values.tolist() == [[1, 2, 0], [2, 2, 2]]
    assert renumbered.lengths is batch.lengths
