"""Audio networks of transformers, opened from folders as the hub's snapshots are: tiny, and made by the tests."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    AutoConfig,
    Data2VecAudioConfig,
    Data2VecAudioModel,
    HubertConfig,
    HubertForCTC,
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)
from transformers.utils import logging

from bench.backbone import Backbone, state_hash
from bench.backbones.audio import backbone as audio_format
from bench.backbones.audio.stages import RelativeLayer
from bench.backbones.huggingface.audio import build_untrained_audio, open_audio
from bench.backbones.huggingface.opening import open_huggingface
from bench.backbones.opened import Opened, read_reference
from bench.domains.audio.files import AudioFiles
from bench.errors import UnknownNameError, WeightsError
from bench.runtime.cache import file_sha256
from bench.testing.backbones import BACKBONE_CHECKS, BackboneCheck, fitted
from bench.training.inference import forward_all
from tests.bench.backbones.audio.clips import OF_AUDIO, clips, unsettle

SPEECH: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "conv_dim": (8, 12),
    "conv_kernel": (10, 8),
    "conv_stride": (5, 64),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 6,
    "num_conv_pos_embedding_groups": 2,
    "mask_time_length": 2,
    "vocab_size": 8,
}
LARGE = {**SPEECH, "do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
DRAWN_IN_PRETRAINING = {"codevector_dim": 8, "proj_codevector_dim": 8, "num_codevectors_per_group": 4}


@dataclass(frozen=True)
class Made:
    """How a tiny snapshot is made, and how the library itself gets its features from it."""

    build: Callable[[], PreTrainedModel]
    extractor: Any
    own: Callable[[PreTrainedModel, torch.Tensor], torch.Tensor]


def mean_state(inner: str) -> Callable[[PreTrainedModel, torch.Tensor], torch.Tensor]:
    return lambda network, heard: getattr(network, inner, network)(heard).last_hidden_state.mean(1)


def whisper() -> PreTrainedModel:
    return WhisperForConditionalGeneration(
        WhisperConfig(
            d_model=16,
            encoder_layers=2,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=24,
            decoder_ffn_dim=24,
            num_mel_bins=20,
            max_source_positions=50,
            max_target_positions=8,
            vocab_size=16,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=1,
        )
    )


def spectrogram_transformer() -> PreTrainedModel:
    return ASTForAudioClassification(
        ASTConfig(
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=24,
            max_length=64,
            num_mel_bins=32,
            patch_size=16,
            frequency_stride=10,
            time_stride=10,
        )
    )


MADE = {
    "wav2vec2-base": Made(
        lambda: Wav2Vec2ForPreTraining(Wav2Vec2Config(**SPEECH, **DRAWN_IN_PRETRAINING)),
        Wav2Vec2FeatureExtractor(do_normalize=True),
        mean_state("wav2vec2"),
    ),
    "wav2vec2-large": Made(
        lambda: Wav2Vec2Model(Wav2Vec2Config(**LARGE)), Wav2Vec2FeatureExtractor(do_normalize=True), mean_state("")
    ),
    "hubert-base": Made(
        lambda: HubertForCTC(HubertConfig(**SPEECH)), Wav2Vec2FeatureExtractor(do_normalize=False), mean_state("hubert")
    ),
    "wavlm-base": Made(
        lambda: WavLMModel(WavLMConfig(**SPEECH)), Wav2Vec2FeatureExtractor(do_normalize=False), mean_state("")
    ),
    "wavlm-large": Made(
        lambda: WavLMModel(WavLMConfig(**LARGE)), Wav2Vec2FeatureExtractor(do_normalize=True), mean_state("")
    ),
    "data2vec-audio": Made(
        lambda: Data2VecAudioModel(
            Data2VecAudioConfig(**{**SPEECH, "num_conv_pos_embeddings": 2}, conv_pos_kernel_size=3)
        ),
        Wav2Vec2FeatureExtractor(do_normalize=True),
        mean_state(""),
    ),
    "spectrogram-transformer": Made(
        spectrogram_transformer,
        ASTFeatureExtractor(max_length=64, num_mel_bins=32),
        lambda network, heard: network.audio_spectrogram_transformer(heard).pooler_output,
    ),
    "whisper": Made(
        whisper,
        WhisperFeatureExtractor(feature_size=20, chunk_length=1),
        lambda network, heard: network.model.encoder(heard).last_hidden_state.mean(1),
    ),
}


def save_snapshot(kind: str, folder: Path) -> PreTrainedModel:
    """Write what a snapshot of the hub holds; return the network, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = MADE[kind].build()
    unsettle(network)
    network.save_pretrained(folder)
    MADE[kind].extractor.save_pretrained(folder)
    return network.eval()


def open_folder(folder: Path) -> Opened:
    return open_audio(read_reference(f"hf:tests/{folder.name}"), folder, AutoConfig.from_pretrained(folder))


@pytest.fixture(scope="module", params=MADE)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, PreTrainedModel, Opened]:
    folder = tmp_path_factory.mktemp("hub") / request.param
    network = save_snapshot(request.param, folder)
    return request.param, network, open_folder(folder)


@pytest.fixture
def backbone(made: tuple[str, PreTrainedModel, Opened]) -> Backbone:
    return copy.deepcopy(made[2].backbone)


@pytest.mark.parametrize("check", [*BACKBONE_CHECKS, *OF_AUDIO])
def test_the_contract_is_kept(check: BackboneCheck, made: tuple[str, PreTrainedModel, Opened]) -> None:
    check(made[2].backbone, clips())


def test_features_are_those_of_the_library(made: tuple[str, PreTrainedModel, Opened]) -> None:
    kind, network, opened = made
    raw = clips()
    heard = MADE[kind].extractor(list(raw.samples), sampling_rate=raw.rate_hz, return_tensors="pt")
    with torch.no_grad():
        own = MADE[kind].own(network, next(iter(heard.values())).float())
    backbone = opened.backbone
    features = forward_all(backbone.stages, backbone.prepare(raw), precision="float32").values
    torch.testing.assert_close(features, own, rtol=1e-4, atol=1e-5)


def test_another_rate_is_heard_as_the_same_sound(backbone: Backbone) -> None:
    low = clips(rate_hz=8_000)
    high = clips(rate_hz=16_000)
    assert backbone.prepare(low).values.shape == backbone.prepare(high).values.shape


def test_a_clip_too_short_for_a_frame_is_heard_with_silence(backbone: Backbone) -> None:
    features = forward_all(backbone.stages, backbone.prepare(clips(seconds=0.005)), precision="float32").values
    assert features.isfinite().all()


def test_working_in_small_pieces_changes_nothing(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = backbone.prepare(clips())
    whole = forward_all(backbone.stages, inputs, precision="float32").values
    monkeypatch.setattr(audio_format, "MOST", 1)
    monkeypatch.setattr(audio_format, "CHUNK", 2)
    again = forward_all(backbone.stages, backbone.prepare(clips()), precision="float32").values
    torch.testing.assert_close(again, whole, rtol=1e-4, atol=1e-5)


def test_the_card_tells_the_file_and_the_files_are_told(made: tuple[str, PreTrainedModel, Opened]) -> None:
    kind, _, opened = made
    config, said, weights = opened.files
    assert (config.name, said.name, weights.name) == ("config.json", "preprocessor_config.json", "model.safetensors")
    card = opened.backbone.card
    assert card.sha256 == file_sha256(weights)
    assert card.name == f"hf:tests/{kind}"


def test_nothing_is_dropped_or_masked_in_training(backbone: Backbone) -> None:
    inputs = backbone.prepare(clips())
    quiet = backbone.eval()(inputs)
    torch.testing.assert_close(backbone.train()(inputs), quiet, rtol=1e-4, atol=1e-5)


def test_the_first_layers_distances_are_learnt_by_all_layers_and_else_by_none(tmp_path: Path) -> None:
    save_snapshot("wavlm-base", tmp_path / "wavlm")
    backbone = open_folder(tmp_path / "wavlm").backbone

    learnt, upper = fitted(backbone, clips(), 0), fitted(backbone, clips(), 3)
    frozen, moved = own_table(backbone.stages), own_table(learnt)
    assert not torch.equal(moved, frozen)
    assert all(shared is moved for shared in shared_tables(learnt))
    first, second = shared_tables(upper)
    assert first is second is not frozen
    assert torch.equal(first, frozen)


def own_table(stages: torch.nn.ModuleList) -> torch.nn.Parameter:
    return stages.get_parameter("2.layer.attention.rel_attn_embed.weight")


def shared_tables(stages: torch.nn.ModuleList) -> list[torch.Tensor]:
    return [stage._shared[0].weight for stage in stages if isinstance(stage, RelativeLayer)]


def test_whispers_positions_are_not_learnt(tmp_path: Path) -> None:
    save_snapshot("whisper", tmp_path / "whisper")
    first = open_folder(tmp_path / "whisper").backbone.stages[0]
    assert "positions" in dict(first.named_buffers())
    assert not [name for name, _ in first.named_parameters() if "positions" in name]


def test_a_checkpoint_need_not_hold_what_only_masking_needs(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    expected = state_hash(open_folder(tmp_path / "hubert").backbone)
    path = tmp_path / "hubert" / "model.safetensors"
    state = load_file(path)
    del state["hubert.masked_spec_embed"]
    save_file(state, path, metadata={"format": "pt"})
    assert state_hash(open_folder(tmp_path / "hubert").backbone) == expected


def test_recordings_are_heard_as_their_waveforms(backbone: Backbone, tmp_path: Path) -> None:
    raw = clips(n=3)
    paths = tuple(tmp_path / f"{row}.wav" for row in range(len(raw)))
    for path, samples in zip(paths, raw.samples, strict=True):
        soundfile.write(path, samples, raw.rate_hz, subtype="FLOAT")
    files = AudioFiles(paths, tuple(map(file_sha256, paths)), rate_hz=raw.rate_hz, length=raw.samples.shape[1])
    assert torch.equal(backbone.prepare(files).values, backbone.prepare(raw).values)


def test_loading_says_nothing_and_leaves_the_library_as_talkative_as_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    save_snapshot("wav2vec2-base", tmp_path / "wav2vec2")
    config = AutoConfig.from_pretrained(tmp_path / "wav2vec2")
    capfd.readouterr()
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    open_audio(read_reference("hf:tests/wav2vec2"), tmp_path / "wav2vec2", config)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


def test_whisper_and_spectrograms_keep_no_silence(tmp_path: Path) -> None:
    for kind, axis in (("whisper", 2), ("spectrogram-transformer", 1)):
        save_snapshot(kind, tmp_path / kind)
        values = open_folder(tmp_path / kind).backbone.prepare(clips(seconds=0.2)).values
        assert values.shape[axis] <= 22  # a frame each 10 ms, and none of the silence after it


def test_long_clips_are_cut_by_those_that_hear_a_fixed_length(tmp_path: Path) -> None:
    for kind, axis, frames in (("whisper", 2, 100), ("spectrogram-transformer", 1, 64)):
        save_snapshot(kind, tmp_path / kind)
        backbone = open_folder(tmp_path / kind).backbone
        inputs = backbone.prepare(clips(n=2, seconds=1.5))
        assert inputs.values.shape[axis] == frames
        assert backbone(inputs).isfinite().all()


def test_weights_in_several_files_and_in_torchs_format_are_read(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    network = save_snapshot("hubert-base", whole)
    expected = state_hash(open_folder(whole).backbone)

    parts = tmp_path / "parts"
    network.save_pretrained(parts, max_shard_size="10KB")
    MADE["hubert-base"].extractor.save_pretrained(parts)
    opened = open_folder(parts)
    assert state_hash(opened.backbone) == expected
    assert len(opened.files) > 4

    pickled = tmp_path / "pickled"
    save_snapshot("hubert-base", pickled)
    state = load_file(pickled / "model.safetensors")
    (pickled / "model.safetensors").unlink()
    old = {  # as they were named before torch's parametrizations
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for key, tensor in state.items()
    }
    torch.save(old, pickled / "pytorch_model.bin")
    assert state_hash(open_folder(pickled).backbone) == expected


def test_an_untrained_network_is_the_same_each_time(tmp_path: Path) -> None:
    for kind in ("wav2vec2-base", "spectrogram-transformer"):
        folder = tmp_path / kind
        MADE[kind].build().config.save_pretrained(folder)
        config = AutoConfig.from_pretrained(folder)
        reference = read_reference(f"hf:tests/{kind}?weights=none")
        one, other = (build_untrained_audio(reference, folder, config) for _ in range(2))
        assert state_hash(one) == state_hash(other)
        assert one.card.sha256 == other.card.sha256
        assert one(one.prepare(clips())).shape == (6, 16)


def test_drawing_an_untrained_network_leaves_the_default_generator_alone(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    config = AutoConfig.from_pretrained(tmp_path / "hubert")
    before = torch.get_rng_state()
    build_untrained_audio(read_reference("hf:tests/hubert"), tmp_path / "hubert", config)
    assert torch.equal(torch.get_rng_state(), before)


def test_missing_tensors_are_counted_and_named(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    path = tmp_path / "hubert" / "model.safetensors"
    state = {key: tensor for key, tensor in load_file(path).items() if "layers.1.attention" not in key}
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(WeightsError, match=r"hf:tests/hubert, 8 are missing .*, such as encoder\.layers\.1"):
        open_folder(tmp_path / "hubert")


def test_tensors_of_another_shape_are_refused(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    path = tmp_path / "hubert" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "intermediate_size": 30}))
    with pytest.raises(WeightsError, match="0 are missing and 9 have another shape"):
        open_folder(tmp_path / "hubert")


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_damaged_weights_are_named(tmp_path: Path, name: str) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    (tmp_path / "hubert" / "model.safetensors").unlink()
    (tmp_path / "hubert" / name).write_bytes(b"no weights at all")
    with pytest.raises(WeightsError, match=r"the weights of hf:tests/hubert in .*fetch them anew"):
        open_folder(tmp_path / "hubert")


def test_a_folder_without_weights_or_preparation_says_what_is_missing(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    (tmp_path / "hubert" / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"has no preprocessor_config\.json"):
        open_folder(tmp_path / "hubert")
    (tmp_path / "hubert" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"has no weights: expected model\.safetensors"):
        open_folder(tmp_path / "hubert")


def test_another_kind_of_network_is_refused_with_the_nearest(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    config = AutoConfig.from_pretrained(tmp_path / "hubert")
    config.model_type = "wav2vec2-bert"
    with pytest.raises(UnknownNameError, match="'wav2vec2-bert'; did you mean 'wav2vec2'"):
        open_audio(read_reference("hf:tests/hubert"), tmp_path / "hubert", config)


def test_a_variant_whose_stages_would_say_something_else_is_refused(tmp_path: Path) -> None:
    network = Wav2Vec2Model(Wav2Vec2Config(**SPEECH, add_adapter=True, num_adapter_layers=1))
    network.save_pretrained(tmp_path / "adapted")
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path / "adapted")
    with pytest.raises(WeightsError, match="built otherwise than its stages expect"):
        open_folder(tmp_path / "adapted")


def test_a_preparation_for_another_length_is_refused(tmp_path: Path) -> None:
    save_snapshot("whisper", tmp_path / "whisper")
    WhisperFeatureExtractor(feature_size=20, chunk_length=3).save_pretrained(tmp_path / "whisper")
    with pytest.raises(WeightsError, match=r"of 300 frames and 20 bands.*wants 100 and 20"):
        open_folder(tmp_path / "whisper")


def test_pickles_that_would_run_code_are_refused(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    (tmp_path / "hubert" / "model.safetensors").unlink()
    torch.save({"weights": np.random.default_rng}, tmp_path / "hubert" / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="hold more than tensors, such as code, which is never run"):
        open_folder(tmp_path / "hubert")


def test_a_card_has_the_licence_of_the_readme_which_is_among_its_files(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    assert open_folder(tmp_path / "hubert").backbone.card.licence == "not said: see the source"
    readme = tmp_path / "hubert" / "README.md"
    readme.write_text("---\nlicense: mit\n---\n# Tiny\n")
    opened = open_folder(tmp_path / "hubert")
    assert opened.backbone.card.licence == "mit"
    assert readme in opened.files


def test_a_setting_of_other_domains_is_refused(tmp_path: Path) -> None:
    save_snapshot("hubert-base", tmp_path / "hubert")
    with pytest.raises(UnknownNameError, match=r"setting of a Hugging Face backbone 'pool' \(there are: revision\)"):
        open_huggingface(read_reference(f"hf:{tmp_path / 'hubert'}?pool=cls"))
