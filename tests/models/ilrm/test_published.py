from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from models.ilrm.config import DL3DV_WIDE, RE10K_2VIEW, ILRMConfig
from models.ilrm.network import ILRM
from models.ilrm.published import RELEASES, read_published, variant
from recon.errors import CheckpointError
from tests.published_files import (
    SMALL_RELEASES,
    STRANGERS,
    lightning_checkpoint,
    recorded_weights,
    save_main,
    save_wide,
)


def test_what_training_needs_is_left_out_and_told(tmp_path: Path) -> None:
    weights = read_published(save_main(tmp_path / "re10k_2view.ckpt"), SMALL_RELEASES)
    told = " | ".join(weights.left_out)
    for part in ("epoch", "optimizer_states", "callbacks", "losses.* (1 tensors)", f"{STRANGERS}.Settings"):
        assert part in told
    assert read_published(save_wide(tmp_path / "wide.pt"), SMALL_RELEASES).left_out == ()


def test_weights_alone_in_a_file_are_read(tmp_path: Path) -> None:
    torch.save(recorded_weights("ilrm_main"), tmp_path / "a.pt")
    assert read_published(tmp_path / "a.pt", SMALL_RELEASES).variant.startswith("RealEstate10K, (2, F, F)")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (RE10K_2VIEW, "RealEstate10K, (2, F, F), 171.3 M parameters"),
        (DL3DV_WIDE, "DL3DV, (16 or 32, H, F), 185.9 M parameters"),
    ],
)
def test_published_networks_are_told_in_the_papers_words(config: ILRMConfig, words: str) -> None:
    with torch.device("meta"):
        assert variant(config, ILRM(config)) == words


def without(name: str) -> Any:
    return lambda state: {key: value for key, value in state.items() if not key.endswith(name)}


def changed(name: str, change: Any) -> Any:
    return lambda state: {key: change(value) if key.endswith(name) else value for key, value in state.items()}


def without_blocks(*numbers: int) -> Any:
    names = tuple(f"scaler.processor.blocks.{number}." for number in numbers)
    return lambda state: {key: value for key, value in state.items() if not key.startswith(names)}


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (without("blocks.2.read_ff.fc1.weight"), r"missing .*fc1"),
        (without("input_tokenizer.weight"), "viewpoint_tokenizer"),
        (lambda s: s | {"scaler.processor.blocks.1.attn.qkv.bias": torch.ones(384)}, r"unexpected .*bias"),
        (lambda s: s | {"scaler.positions": torch.ones(3)}, "no published iLRM release"),
        (changed("token_decoder.1.weight", lambda v: v[:-1]), r"\[895, 128\], expected \[896, 128\]"),
        (changed("q_norm.weight", lambda v: v[:48]), "head_dim 48, expected 64"),
        (without_blocks(2, 3), "num_layers 1, expected 2"),
        (without_blocks(3), "num_layers 1, expected 2"),
        (changed("mlp.norm.weight", lambda v: v * float("nan")), "expected finite"),
        (changed("mlp.norm.weight", Tensor.double), "float64"),
        (changed("mlp.norm.weight", Tensor.int), "int32"),
        (changed("mlp.norm.weight", Tensor.to_sparse), "dense tensor"),
        (changed("mlp.norm.weight", Tensor.tolist), "is a list"),
        (lambda s: s | {f"encoder.{name}": value for name, value in s.items()}, "expected each once"),
        (lambda s: {5: 1}, "a int is a int"),
        (lambda s: {}, "no matrix"),
    ],
)
def test_what_does_not_fit_is_a_checkpoint_error(spoil: Any, match: str, tmp_path: Path) -> None:
    torch.save({"state_dict": spoil(recorded_weights("ilrm_main"))}, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match=match):
        read_published(tmp_path / "a.ckpt", SMALL_RELEASES)


@pytest.mark.parametrize("save", [save_main, save_wide])
def test_only_the_published_sizes_are_taken_unless_others_are_named(save: Any, tmp_path: Path) -> None:
    """Width 768, heads of 64, 12 layers, patches of 8 (iLRM, section 4.1)."""
    assert {(r.dim, r.head_dim, r.num_layers, r.patch) for r in RELEASES} == {(768, 64, 12, 8)}
    with pytest.raises(CheckpointError, match="dim 128, expected 768, num_layers 2, expected 12") as caught:
        read_published(save(tmp_path / "a.ckpt"))
    assert "as it was published" in caught.value.hint
    assert read_published(tmp_path / "a.ckpt", SMALL_RELEASES).config in SMALL_RELEASES


@pytest.mark.parametrize("content", [[], "text", {"state_dict": "none"}, {"net": {"a": torch.ones(1)}}, torch.ones(2)])
def test_files_that_hold_no_weights_of_it_are_checkpoint_errors(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError):
        read_published(tmp_path / "a.ckpt", SMALL_RELEASES)


def test_no_memory_is_taken_for_weights_of_another_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    build = ILRM.__init__

    def spy(network: ILRM, config: ILRMConfig) -> None:
        made.append(torch.empty(0).device.type)
        build(network, config)

    monkeypatch.setattr(ILRM, "__init__", spy)
    torch.save(lightning_checkpoint(recorded_weights("ilrm_main")), tmp_path / "a.ckpt")
    read_published(tmp_path / "a.ckpt", SMALL_RELEASES)
    assert made == ["meta"]
