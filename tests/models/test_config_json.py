import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.block_settings import fault_in_block
from models.config_json import config_from_json
from models.hub import load_pretrained, save_pretrained
from models.ilrm.config import ILRMConfig
from models.ilrm.nano.config import NanoConfig
from models.ilrm.network import ILRM
from models.layers.config import AttentionConfig, BlockConfig, FeedForwardConfig, LinearConfig
from models.settings import fault_in_sizes
from models.training.config import TrainConfig, require_usable
from recon.errors import CheckpointError, InputError

OTHER = BlockConfig(
    AttentionConfig(
        "pooled_keys", pool=3, registers=4, qk_norm=False, linear=LinearConfig("blast", blocks=2, rank=0.25)
    ),
    FeedForwardConfig("swiglu", ratio=2.0, linear=LinearConfig("lowrank")),
    parallel=True,
    repeat=2,
    stop=0.01,
)
SMALL = ILRMConfig(dim=32, head_dim=16, num_layers=2, patch=4)


def written(tmp_path: Path, config: ILRMConfig) -> Path:
    torch.manual_seed(0)
    save_pretrained(tmp_path / "mine", "ilrm", ILRM(config), config, dtype=torch.float32)
    return tmp_path / "mine"


def changed(folder: Path, **settings: Any) -> Path:
    file = folder / "config.json"
    content = json.loads(file.read_text())
    content["config"].update(settings)
    file.write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("config", [BlockConfig(), OTHER], ids=["default", "other"])
def test_a_config_survives_json(config: BlockConfig):
    assert config_from_json(BlockConfig, json.loads(json.dumps(asdict(config)))) == config


def test_whole_numbers_may_stand_for_floats():
    found = config_from_json(FeedForwardConfig, {"ratio": 4})
    assert type(found.ratio) is float
    assert found == FeedForwardConfig()
    assert config_from_json(FeedForwardConfig, {"ratio": 10**400}).ratio == float("inf")


def test_what_is_left_out_keeps_its_default():
    found = config_from_json(BlockConfig, {"attention": {"kind": "per_view"}})
    assert found == BlockConfig(attention=AttentionConfig(kind="per_view"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attention": "full"}, "config.attention is a str, expected an object"),
        ({"attention": None}, "config.attention is a NoneType"),
        ({"attention": {"kind": "best"}}, "config.attention.kind is 'best', expected one of full"),
        ({"attention": {"kind": ["full"]}}, r"config.attention.kind is \['full'\]"),
        ({"attention": {"linear": {"size": 4}}}, "config.attention.linear has an unknown setting 'size'"),
        ({"feed_forward": {"ratio": "4"}}, "config.feed_forward.ratio is a str, expected float"),
        ({"parallel": 1}, "config.parallel is a int, expected bool"),
        ({"repeat": True}, "config.repeat is a bool, expected int"),
        ([], "config is a list"),
    ],
)
def test_nothing_unknown_and_nothing_of_another_type(settings: Any, message: str):
    with pytest.raises(TypeError, match=message):
        config_from_json(BlockConfig, settings)


def test_a_network_of_other_blocks_comes_back_from_its_folder(tmp_path: Path):
    config = replace(SMALL, block=OTHER)
    network = load_pretrained(written(tmp_path, config)).network
    assert network.config == config
    torch.manual_seed(0)
    images, poses = torch.rand(1, 2, 3, 16, 24), torch.eye(4).expand(1, 2, 4, 4)
    K = torch.tensor([[20.0, 0, 12], [0, 20, 8], [0, 0, 1]]).expand(1, 2, 3, 3)
    torch.manual_seed(0)
    torch.testing.assert_close(network(images, poses, K).means, ILRM(config).eval()(images, poses, K).means)


def test_folders_written_before_there_were_blocks_are_read(tmp_path: Path):
    folder = written(tmp_path, SMALL)
    content = json.loads((folder / "config.json").read_text())
    del content["config"]["block"]
    (folder / "config.json").write_text(json.dumps(content))
    assert load_pretrained(folder).network.config == SMALL


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"attention": {"kind": "best"}}, "block.attention.kind"),
        ({"speed": 2}, "unknown setting 'speed'"),
        ({"attention": {"pool": 0}}, "block.attention.pool is 0, expected 1 to 64"),
        ({"attention": {"linear": {"kind": "block_shuffle", "blocks": 5}}}, "5 blocks do not divide"),
        ({"feed_forward": {"kind": "grouped", "linear": {"kind": "blast"}}}, "holds plain matrices"),
        ({"feed_forward": {"kind": "swiglu"}}, "tensors differ"),
    ],
)
def test_blocks_that_cannot_be_are_a_checkpoint_error(block: dict[str, Any], message: str, tmp_path: Path):
    with pytest.raises(CheckpointError, match=message):
        load_pretrained(changed(written(tmp_path, SMALL), block=block))


@pytest.mark.parametrize(
    ("block", "name"),
    [
        (BlockConfig(feed_forward=FeedForwardConfig("grouped", key="kind")), "key"),
        (BlockConfig(feed_forward=FeedForwardConfig("grouped", key="view", second_key="kind")), "second_key"),
        (BlockConfig(AttentionConfig(experts=4), FeedForwardConfig(key="kind")), "key"),
    ],
)
def test_networks_with_one_kind_of_token_are_not_grouped_by_kind(block: BlockConfig, name: str, tmp_path: Path):
    said = f"block.feed_forward.{name} is kind, .* choose view, checkerboard or ray"
    with pytest.raises(CheckpointError, match=said):
        load_pretrained(changed(written(tmp_path, SMALL), block=asdict(block)))
    for config in (TrainConfig(nano=NanoConfig(block=block)), TrainConfig("ilrm", ilrm=ILRMConfig(block=block))):
        with pytest.raises(InputError, match=said):
            require_usable(config)


def test_a_key_that_no_layer_asks_for_does_no_harm():
    assert fault_in_sizes(ILRMConfig(block=BlockConfig(feed_forward=FeedForwardConfig(key="kind")))) is None


LINEARS = [LinearConfig(rank=0.0), LinearConfig(rank=1.5), LinearConfig("btt", rank=0.5), LinearConfig(blocks=0)]
UNUSABLE = [
    *(BlockConfig(AttentionConfig(linear=linear)) for linear in LINEARS),
    *(BlockConfig(feed_forward=FeedForwardConfig(linear=linear)) for linear in LINEARS),
    BlockConfig(AttentionConfig(keep=0.0)),
    BlockConfig(AttentionConfig(keep=float("nan"))),
    BlockConfig(AttentionConfig(registers=-1)),
    BlockConfig(AttentionConfig(registers=10**30)),
    BlockConfig(AttentionConfig("multires_conv", registers=1)),
    BlockConfig(AttentionConfig(experts=0)),
    BlockConfig(AttentionConfig(experts=3)),
    BlockConfig(AttentionConfig(experts=4), FeedForwardConfig(second_key="view")),
    BlockConfig(AttentionConfig(value_rank=0.0)),
    BlockConfig(AttentionConfig(value_rank=float("nan"))),
    BlockConfig(feed_forward=FeedForwardConfig(ratio=0.0)),
    BlockConfig(feed_forward=FeedForwardConfig(ratio=float("inf"))),
    BlockConfig(feed_forward=FeedForwardConfig(depth=30)),
    BlockConfig(feed_forward=FeedForwardConfig(experts=0)),
    BlockConfig(repeat=0),
    BlockConfig(stop=float("nan")),
    BlockConfig(stop=-1.0),
]


@pytest.mark.parametrize("block", UNUSABLE, ids=str)
def test_numbers_of_no_use_are_named(block: BlockConfig):
    fault = fault_in_block(block, 64, 16)
    assert fault is not None
    assert fault.startswith("block.")


def test_usable_numbers_are_no_fault():
    assert fault_in_block(BlockConfig(), 64, 64) is None
    assert fault_in_block(OTHER, 64, 16) is None
    assert fault_in_block(BlockConfig(AttentionConfig(experts=4)), 64, 16) is None
    assert (
        fault_in_block(BlockConfig(AttentionConfig(experts=16), FeedForwardConfig(second_key="view")), 64, 16) is None
    )
    assert fault_in_block(BlockConfig(AttentionConfig("inception")), 64, 16) is None
    assert "two heads" in str(fault_in_block(BlockConfig(AttentionConfig("inception")), 64, 64))
