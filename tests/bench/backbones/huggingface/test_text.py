"""Text models of transformers, made here as the hub has them, keep the contract and say what the library says."""

import copy
import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from bench.backbone import Backbone, Batch, TokenStage, read_stages, run_stages
from bench.backbones.huggingface.opening import open_huggingface
from bench.backbones.huggingface.text import first_tokens
from bench.backbones.opened import read_reference
from bench.column import Ragged
from bench.domains.text.raw import Texts
from bench.errors import ConfigError, WeightsError
from bench.readout import POOLED
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck, close, step
from bench.training.inference import read_all
from bench.training.vocabulary import Vocabulary
from tests.bench.backbones.huggingface.snapshots import TEXTS, write_text_model

RAW = Texts(("w1 w2 w3 w4 w5 w6 w7", "w8", "w9 w0 w3 w33 w5"))
DECODERS = {"gpt2", "gpt_neox", "opt", "qwen2"}


@pytest.fixture(scope="module", params=sorted(TEXTS.keys() - {"fnet"}))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text_model(tmp_path_factory.mktemp("snapshot"), request.param)


def opened(folder: Path, query: str = "") -> Backbone:
    return open_huggingface(read_reference(f"hf:{folder}{query}")).backbone


def last_hidden(folder: Path, batch: Batch) -> torch.Tensor:
    """Return the hidden states that the library itself gives, [n, length, width]."""
    network = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    network = network.get_encoder() if network.config.is_encoder_decoder else network
    assert batch.mask is not None
    with torch.inference_mode():
        hidden: torch.Tensor = network(input_ids=batch.values, attention_mask=batch.mask.long()).last_hidden_state
    return hidden


@pytest.fixture(scope="module")
def backbone(folder: Path) -> Backbone:
    return opened(folder)


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_every_family_keeps_the_contract(check: BackboneCheck, backbone: Backbone) -> None:
    check(backbone, RAW)


def pooled(backbone: Backbone, batch: Batch) -> torch.Tensor:
    """Return the pooled features of prepared texts, [n, width]."""
    return read_all(backbone, backbone.stages, batch, POOLED, precision="float32").features[0]


def test_features_are_the_librarys_own_hidden_states_pooled(folder: Path) -> None:
    backbone = opened(folder)
    batch = backbone.prepare(RAW)
    hidden = last_hidden(folder, batch)
    assert batch.lengths is not None
    assert batch.lengths.tolist() in ([7, 1, 5], [20, 2, 15])  # in words, or in letters and the spaces between
    of_texts = [one[:length] for one, length in zip(hidden, batch.lengths.tolist(), strict=True)]
    decoder = json.loads((folder / "config.json").read_text())["model_type"] in DECODERS
    expected = torch.stack([one[-1] if decoder else one.mean(0) for one in of_texts])
    close(pooled(backbone, batch), expected)


def test_a_pruned_table_changes_neither_features_nor_gradients(folder: Path) -> None:
    backbone = opened(folder)
    inputs = backbone.prepare(RAW)
    stages = copy.deepcopy(backbone.stages)
    first, pruned = backbone.stages[0], stages[0]
    assert isinstance(first, TokenStage)
    assert isinstance(pruned, TokenStage)
    vocabulary = Vocabulary(inputs)
    vocabulary.prune(pruned)
    (whole,), (small,) = (
        read_stages(backbone, above, batch, POOLED)
        for above, batch in ((backbone.stages, inputs), (stages, vocabulary.renumber(inputs)))
    )
    torch.testing.assert_close(small, whole, rtol=0, atol=0)
    whole.square().sum().backward()
    small.square().sum().backward()
    assert first.table.weight.grad is not None
    torch.testing.assert_close(pruned.table.weight.grad, first.table.weight.grad[inputs.values.unique()])


@pytest.mark.parametrize("kind", ["t5", "deberta-v2", "mpnet"])
def test_what_layers_share_is_trained_with_all_of_them_and_frozen_with_the_upper_ones(
    kind: str, tmp_path: Path
) -> None:
    backbone = opened(write_text_model(tmp_path, kind))
    inputs = backbone.prepare(RAW)
    stages = copy.deepcopy(backbone.stages)
    step(backbone, stages, inputs)
    names = [name for name, _ in stages.named_parameters() if "relative_attention_bias" in name or "rel_emb" in name]
    assert len(names) == 1  # in one stage, and trained: the contract sees to that
    moved = copy.deepcopy(stages)
    with torch.no_grad():
        moved.get_parameter(names[0]).mul_(3.0)
    top = len(stages) - 1
    middle = Batch(torch.randn(3, 7, 16, generator=torch.Generator().manual_seed(0)), inputs.lengths)
    with torch.inference_mode():
        assert not torch.equal(moved[top](middle.values, middle.mask), stages[top](middle.values, middle.mask))
    upper = copy.deepcopy(backbone.stages[top:])
    lent = backbone.stages.get_parameter(names[0]).clone()
    step(backbone, upper, middle)
    torch.testing.assert_close(backbone.stages.get_parameter(names[0]), lent, rtol=0, atol=0)
    assert not [name for name, _ in upper.named_parameters() if "relative_attention_bias" in name or "rel_emb" in name]


def test_the_pool_is_the_one_asked_for_or_the_one_sentences_were_trained_with(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path, "bert")
    batch = opened(folder).prepare(RAW)
    hidden = last_hidden(folder, batch)
    rows, assigned = torch.arange(3), torch.tensor([6, 0, 4])
    for query, expected in (("?pool=cls", hidden[:, 0]), ("?pool=last", hidden[rows, assigned])):
        close(pooled(opened(folder, query), batch), expected)
    (folder / "1_Pooling").mkdir()
    for said in ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, {"pooling_mode": "cls"}):
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 16, **said}))
        close(pooled(opened(folder), batch), hidden[:, 0])
    with pytest.raises(ConfigError, match="asks for the pool 'median': there are mean, cls, last"):
        opened(folder, "?pool=median")


def test_texts_are_cut_where_the_model_has_no_more_places_or_where_it_is_told(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path, "roberta")
    long = Texts(("w1 " * 100, "w2"))
    assert opened(folder).prepare(long).values.shape == (2, 38)  # 40 places, of which the first two stay empty
    assert opened(folder, "?longest=5").prepare(long).values.shape == (2, 5)
    assert opened(folder)(opened(folder).prepare(long)).isfinite().all()
    with pytest.raises(ConfigError, match="asks for texts of '39' tokens: give a number from 1 to 38"):
        opened(folder, "?longest=39")


def test_nothing_is_dropped_in_training(folder: Path) -> None:
    backbone = opened(folder)
    batch = backbone.prepare(RAW)
    with torch.no_grad():
        close(run_stages(backbone.stages.train(), batch).values, run_stages(backbone.stages.eval(), batch).values)


def test_an_empty_text_has_features(tmp_path: Path) -> None:
    backbone = opened(write_text_model(tmp_path, "gpt2"))
    batch = backbone.prepare(Texts(("", "w1 w2")))
    assert batch.lengths is not None
    assert batch.lengths.tolist() == [1, 5]
    assert backbone(batch).isfinite().all()


def test_layers_can_be_declared(tmp_path: Path) -> None:
    folder = write_text_model(tmp_path, "bert")
    assert len(opened(folder, "?layers=encoder.layer").stages) == 4
    assert opened(folder, "?layers=encoder").card.stages == ("embeddings", "layer1")
    with pytest.raises(WeightsError, match=r"has no module 'encoder.h' \(there are the lists: encoder.layer\)"):
        opened(folder, "?layers=encoder.h")


def test_layers_that_are_not_the_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="do not run one after the other"):
        opened(write_text_model(tmp_path, "albert"), "?layers=encoder.albert_layer_groups")


def test_a_model_that_looks_at_padding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="is no backbone: the features of a text change with the padding after it"):
        opened(write_text_model(tmp_path, "fnet"))


def test_words_are_found_among_the_tokens_of_their_text(folder: Path) -> None:
    backbone, tokenizer = opened(folder), AutoTokenizer.from_pretrained(folder)
    plain = backbone.prepare(RAW)
    batch = backbone.prepare(Texts(RAW.strings, tuple(tuple(text.split()) for text in RAW.strings)))
    assert torch.equal(batch.values, plain.values)
    geometry = batch.geometry
    assert isinstance(geometry, Ragged)
    for row, ids in enumerate(batch.values.tolist()):
        begins = [place for place, token in enumerate(tokenizer.convert_ids_to_tokens(ids)) if token.startswith("w")]
        assert geometry.of("token", row).tolist() == begins


def test_a_space_belongs_to_the_token_after_it_or_to_none() -> None:
    words = (("Ann", "saw", "Bo"),)
    own = [[(0, 0), (0, 3), (3, 7), (7, 8), (8, 10), (0, 0)]]  # special, "Ann", " saw", " ", "Bo", special
    assert first_tokens(own, words)["token"].tolist() == [1, 2, 4]
    cut = [[(0, 0), (0, 2), (2, 3), (4, 6), (0, 0)]]  # special, "An", "n", "sa", special
    assert first_tokens(cut, words)["token"].tolist() == [1, 3, -1]
