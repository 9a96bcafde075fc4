"""Images of prompts on their way to servers, chat templates, TRL, and to people who read."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graphenv import agents, envs
from graphenv.agents.chats import images_apart, plain_messages, plain_roles
from graphenv.agents.openai import image_url, native_messages
from graphenv.agents.oracle import gold_turns
from graphenv.envs.base import GraphEnv
from graphenv.envs.render import render_episode
from graphenv.errors import ConfigError, DataError
from graphenv.task import Message
from graphenv.text import text_of

pytest.importorskip("PIL")

IMAGE = {"type": "image", "image": "a.png"}
ASKED = {"type": "text", "text": "What is this?"}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHENV_CACHE", str(tmp_path / "cache"))


def scenes(**arguments: Any) -> GraphEnv:
    return envs.make("scene-graph", images=True, tasks=20, **arguments)


# -- chats ------------------------------------------------------------------------------------


def test_images_stay_parts_when_neighbours_are_joined() -> None:
    chat: list[Message] = [
        {"role": "system", "content": "Look."},
        {"role": "user", "content": [IMAGE, ASKED]},
        {"role": "user", "content": "Say it shortly."},
        {"role": "assistant", "content": "a dog"},
        {"role": "tool", "name": "zoom", "content": "brown"},
        {"role": "user", "content": "Sure?"},
    ]
    before = repr(chat)
    found = plain_messages(chat)
    assert [message["role"] for message in found] == ["system", "user", "assistant", "user"]
    assert found[1]["content"] == [IMAGE, ASKED, {"type": "text", "text": "Say it shortly."}]
    assert found[3]["content"] == "brown\nSure?"  # text stays text
    assert repr(chat) == before


@pytest.mark.parametrize("roles", ["system user", "user", "system user tool"])
def test_a_tokenizer_gets_text_and_a_processor_gets_parts(roles: str) -> None:
    chat: list[Message] = [
        {"role": "system", "content": "Look."},
        {"role": "user", "content": [IMAGE, ASKED]},
    ]
    tokenizer = SimpleNamespace(chat_template=roles)
    assert all(isinstance(m["content"], str) for m in plain_roles(tokenizer, chat))
    assert "[image: a.png]\nWhat is this?" in plain_roles(tokenizer, chat)[-1]["content"]
    processor = SimpleNamespace(chat_template=roles, image_processor=object())
    found = plain_roles(processor, chat)
    assert found[-1]["content"][-2:] == [IMAGE, ASKED]
    assert {"type": "text", "text": "Look."} in found[0]["content"]
    assert len(found) == (1 if "system" not in roles else 2)


# -- servers ----------------------------------------------------------------------------------


def test_a_server_is_sent_the_picture_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    env = scenes()
    agent = agents.make("openai", env, model="m")
    sent: list[dict[str, Any]] = []

    def post(body: dict[str, Any]) -> dict[str, Any]:
        sent.append(body)
        return {"choices": [{"message": {"content": "[]"}}]}

    monkeypatch.setattr(agent._server, "post", post)  # type: ignore[attr-defined]
    assert agent.act(env.tasks[3].messages) == "[]"
    system, user = sent[0]["messages"]
    assert isinstance(system["content"], str)
    picture, text = user["content"]
    assert text == env.tasks[3].messages[1]["content"][1]
    head, _, data = picture["image_url"]["url"].partition(",")
    assert (picture["type"], head) == ("image_url", "data:image/png;base64")
    path = Path(env.tasks[3].messages[1]["content"][0]["image"])
    assert base64.b64decode(data) == path.read_bytes()


def test_native_tool_chats_keep_images() -> None:
    call = '<tool_call>{"name": "add_object", "arguments": {"label": "dog"}}</tool_call>'
    chat: list[Message] = [
        {"role": "user", "content": [IMAGE, ASKED]},
        {"role": "assistant", "content": call},
        {"role": "tool", "name": "add_object", "content": "dog.1"},
    ]
    found = native_messages(chat)
    assert found[0] == {"role": "user", "content": [IMAGE, ASKED]}
    assert found[1]["tool_calls"][0]["id"] == found[2]["tool_call_id"]
    assert found[2]["content"] == "dog.1"


def test_image_addresses(tmp_path: Path) -> None:
    assert image_url("https://example.org/a.png") == "https://example.org/a.png"
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    first = image_url(str(path))
    assert first == "data:image/jpeg;base64," + base64.b64encode(b"one").decode()
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert image_url(str(path)) != first  # a file that changed is another image
    with pytest.raises(DataError, match="cannot be read"):
        image_url(str(tmp_path / "b.png"))
    other = tmp_path / "secret.txt"
    other.write_text("x")
    with pytest.raises(DataError, match="suffix"):
        image_url(str(other))


# -- rows for TRL -----------------------------------------------------------------------------


def test_images_go_apart_where_trl_puts_them_back() -> None:
    chat: list[Message] = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [IMAGE, IMAGE, ASKED]},
    ]
    assert images_apart(chat) == (
        [{"role": "system", "content": "s"}, {"role": "user", "content": "What is this?"}],
        ["a.png", "a.png"],
    )
    assert images_apart(chat[:1]) == (chat[:1], [])
    behind: list[Message] = [{"role": "user", "content": [ASKED, IMAGE]}]
    later: list[Message] = [{"role": "user", "content": "?"}, {"role": "user", "content": [IMAGE]}]
    early: list[Message] = [{"role": "system", "content": [IMAGE]}]
    for moved in (behind, later, early):
        with pytest.raises(ConfigError, match="in front of its first user message"):
            images_apart(moved)


@pytest.mark.train
def test_rows_become_the_chat_that_trl_shows_a_vision_model() -> None:
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("trl")
    from trl import GRPOTrainer
    from trl.data_utils import is_conversational, prepare_multimodal_messages

    from graphenv.agents.bridge.rows import make_dataset, make_rows

    made = {"seen": scenes(), "read": envs.make("kgqa")}
    rows = make_rows(made, {"seen": 1.0, "read": 1.0}, 8, seed=0)
    assert {bool(row["images"]) for row in rows} == {True, False}
    assert all(isinstance(m["content"], str) for row in rows for m in row["prompt"])
    data = make_dataset(rows)
    asked: list[Any] = []

    def template(*, conversation: Any, **_: Any) -> dict[str, Any]:
        asked.extend(conversation)
        return {"input_ids": [[0]] * len(conversation), "attention_mask": []}

    trainer = SimpleNamespace(
        _is_vlm=True, environment_factories=None, tools=None, chat_template=None,
        chat_template_kwargs={}, processing_class=SimpleNamespace(apply_chat_template=template),
    )  # fmt: skip
    prompts = []
    for row in data:  # as `_generate_and_score_completions` does
        assert is_conversational(row)
        prompts.append(prepare_multimodal_messages(row["prompt"], images=row["images"]))
    _, images, _ = GRPOTrainer._tokenize_prompts(trainer, prompts)
    for row, chat, shown in zip(rows, asked, images, strict=True):
        own = made[row["environment"]].tasks[row["index"]].messages
        assert [m["role"] for m in chat] == [m["role"] for m in own]
        for message, wanted in zip(chat, own, strict=True):
            content = wanted["content"]
            parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
            assert [p["type"] for p in message["content"]] == [p["type"] for p in parts]
            assert [p.get("text") for p in message["content"]] == [p.get("text") for p in parts]
        assert [path for m in own for path in _images(m["content"])] == row["images"]
        assert (shown is None) == (not row["images"])
        for picture, path in zip(shown or (), row["images"], strict=True):
            with image.open(path) as drawn:
                assert picture.size == drawn.size
                assert picture.convert("RGB").tobytes() == drawn.convert("RGB").tobytes()


def _images(content: Any) -> list[str]:
    if isinstance(content, str):
        return []
    return [part["image"] for part in content if part["type"] == "image"]


@pytest.mark.train
def test_rows_of_text_have_no_column_of_images() -> None:
    pytest.importorskip("datasets")
    from graphenv.agents.bridge.rows import make_dataset, make_rows

    rows = make_rows({"read": envs.make("kgqa")}, {"read": 1.0}, 3, seed=0)
    assert [sorted(row) for row in rows] == [["environment", "index", "prompt"]] * 3
    assert sorted(make_dataset(rows).features) == ["environment", "index", "prompt"]


@pytest.mark.train
def test_what_cannot_see_says_so() -> None:
    pytest.importorskip("trl")
    from graphenv.agents.bridge.config import TrainConfig
    from graphenv.agents.bridge.rollout import EnvRollout
    from graphenv.agents.bridge.rows import make_rows
    from graphenv.agents.bridge.train import check_settings

    env = scenes()
    with pytest.raises(ConfigError, match="vision-language model and warmup=0"):
        check_settings(TrainConfig("scene-graph", out="unused"), {"scene-graph": env})
    rows = make_rows({"seen": env}, {"seen": 1.0}, 1, seed=0)
    trainer: Any = SimpleNamespace(
        rows=rows, processing_class=None, eos_token_ids=[], chat_template_kwargs={}
    )
    with pytest.raises(ConfigError, match="environment_factory"):
        EnvRollout({"seen": env})([rows[0]["prompt"]], trainer)


# -- a model that sees ------------------------------------------------------------------------

_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% for p in m.content %}"
    "{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_seeing_model(env: GraphEnv, folder: Path) -> str:
    """Write an untrained vision-language model of some thousand weights, with its processor."""
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
        Qwen3Config,
    )

    from graphenv.agents.llm import load_model
    from graphenv.agents.tiny import environment_text, make_tiny

    base = make_tiny(list(environment_text([env], tasks=5)), folder / "base", size="nano")
    tokenizer = load_model(str(base))[1]
    tokenizer.add_special_tokens({"additional_special_tokens": ["<image>"]})
    square = {"height": 32, "width": 32}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size=square, crop_size=square),
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE,
    )
    small: dict[str, Any] = {
        "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2
    }  # fmt: skip
    text = Qwen3Config(
        vocab_size=len(tokenizer), num_key_value_heads=2, head_dim=8, **small,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=32, patch_size=16, **small),
        text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
    )
    LlavaForConditionalGeneration(config).save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    return str(folder / "model")


@pytest.mark.train
@pytest.mark.runs("vision")
def test_a_vision_language_model_plays_and_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("trl")
    import torch
    from transformers import CLIPVisionModel

    from graphenv.agents.bridge.config import TrainConfig
    from graphenv.agents.bridge.train import train
    from graphenv.agents.llm import LLMAgent, load_model

    arguments = {"images": True, "tasks": 20, "instructions": "short"}
    env = envs.make("scene-graph", **arguments)
    model = tiny_seeing_model(env, tmp_path)
    agent = agents.make("llm", env, model=model, max_new_tokens=4, batch_size=2)
    assert isinstance(agent, LLMAgent)
    # The part of the model that looks is the witness: `generate` runs it ahead of the rest.
    looks: list[tuple[tuple[int, ...], bool]] = []
    look = CLIPVisionModel.forward

    def watched(self: Any, pixel_values: Any, *args: Any, **given: Any) -> Any:
        looks.append((tuple(pixel_values.shape), torch.is_grad_enabled()))
        return look(self, pixel_values, *args, **given)

    monkeypatch.setattr(CLIPVisionModel, "forward", watched)
    turns = agent.act_batch([env.tasks[index].messages for index in range(3)])
    assert len(turns) == 3
    assert looks == [((2, 3, 32, 32), False), ((1, 3, 32, 32), False)]
    looks.clear()

    with pytest.raises(ConfigError, match="no image processor"):
        load_model(str(tmp_path / "base"), images=True)
    run = train(
        TrainConfig(
            "scene-graph", out=str(tmp_path / "run"), model=model, warmup=0, steps=1, eval_every=0,
            heldout_tasks=2, max_new_tokens=4, env_kwargs=arguments,
            grpo={
                "per_device_train_batch_size": 2, "num_generations": 2, "max_completion_length": 4
            },
        ),
        progress=False,
    )  # fmt: skip
    assert run.success == 0.0
    assert ((2, 3, 32, 32), True) in looks  # the loss is of what was seen
    assert agents.make("llm", env, model=str(run.checkpoint), max_new_tokens=4).act(
        env.tasks[0].messages
    )


# -- people -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["single", "steps"])
def test_people_read_where_the_image_is(mode: str) -> None:
    env = scenes(mode=mode)
    observation, info = env.reset(options={"index": 2})
    path = info["messages"][-1]["content"][0]["image"]
    assert Path(path).is_file() and f"[image: {path}]" in observation
    assert text_of(info["messages"][-1]["content"]) in observation
    episode = env.play(2, ["[]"])
    shown = render_episode(episode)
    assert f"[image: {path}]" in shown and "'type'" not in shown
    assert env.play(2, gold_turns(env, 2)).success == 1.0
