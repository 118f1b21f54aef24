"""Leaving out of a token table what a task does not hold changes nothing that is computed."""

import copy

import torch

from bench.backbone import Batch, TokenStage, run_stages
from bench.backbones.catalog import MINILM
from bench.backbones.loading import load_backbone
from bench.domains.text.raw import Texts
from bench.training.vocabulary import Vocabulary


def test_features_and_gradients_are_those_of_the_whole_table() -> None:
    backbone = load_backbone(MINILM.name)
    train = backbone.prepare(Texts(("a fine day", "awful weather today")))
    test = backbone.prepare(Texts(("fine weather",)))
    stages, small = copy.deepcopy(backbone.stages), copy.deepcopy(backbone.stages)
    vocabulary = Vocabulary(train, test)
    first = small[0]
    assert isinstance(first, TokenStage)
    vocabulary.prune(first)
    used = torch.cat([train.values.flatten(), test.values.flatten()]).unique()
    assert first.table.weight.shape == (len(used), backbone.card.width)
    for inputs in (train, test):
        whole, pruned = run_stages(stages, inputs).values, run_stages(small, vocabulary.renumber(inputs)).values
        torch.testing.assert_close(pruned, whole, rtol=0, atol=0)
        whole.sum().backward()
        pruned.sum().backward()
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


def test_a_pruned_table_learns_only_if_the_whole_one_does() -> None:
    backbone = load_backbone(MINILM.name)
    for learns in (True, False):
        stage = copy.deepcopy(backbone.stages[0]).requires_grad_(learns)
        assert isinstance(stage, TokenStage)
        Vocabulary(backbone.prepare(Texts(("a fine day",)))).prune(stage)
        assert stage.table.weight.requires_grad == learns


def test_a_restored_table_has_the_rows_that_were_kept_and_those_that_were_there_before() -> None:
    backbone = load_backbone(MINILM.name)
    inputs = backbone.prepare(Texts(("a fine day",)))
    before, stage = backbone.stages[0], copy.deepcopy(backbone.stages[0])
    assert isinstance(before, TokenStage)
    assert isinstance(stage, TokenStage)
    vocabulary = Vocabulary(inputs)
    vocabulary.prune(stage)
    with torch.no_grad():
        stage.table.weight.add_(1)
    vocabulary.restore(stage, before.table)
    moved = (stage.table.weight != before.table.weight).any(1).nonzero()[:, 0]
    assert moved.tolist() == inputs.values.unique().tolist()
    torch.testing.assert_close(stage.table.weight[moved], before.table.weight[moved] + 1)
    assert stage.table.weight.shape == before.table.weight.shape
