"""Configurations of published models, as their `config.json` gives them, as far as they decide matmuls.

Values are numbers of the models' own configurations, with the names that they have there; `source` is a
public text in which each of them stands, at a fixed commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Config = Mapping[str, int | bool]

TRANSFORMERS = "https://github.com/huggingface/transformers/blob"
LLAMA = (
    f"{TRANSFORMERS}/008e574391258935f3ecc3035c882e73bbcac419/"
    "src/transformers/models/llama/configuration_llama.py"
)
MIXTRAL = (
    f"{TRANSFORMERS}/008e574391258935f3ecc3035c882e73bbcac419/"
    "src/transformers/models/mixtral/configuration_mixtral.py"
)
MISTRAL = (
    f"{TRANSFORMERS}/001f85b38fb432858ace93f18622f07cec46d874/"
    "src/transformers/models/mistral/configuration_mistral.py"
)
LLAMA_3 = (
    "https://github.com/pytorch/torchtune/blob/02f9d2c01e98c5c8fd89328f9dc0b3245f2227c6/"
    "torchtune/models/llama3/_model_builders.py"
)
# The `config.json` of several models, whole.
QWEN_3 = "https://github.com/citsjtu2020/LLM-Prof/blob/8434c8d19c396b2f95d92a67845a7c0a0e0dd512/sglang/Model_Config.md"


@dataclass(frozen=True)
class Model:
    """A published model.

    page: where it is published; source: a text that holds every value of `config`; parameters: of the whole
    checkpoint, embeddings and norms included, as its page counts them.
    """

    name: str
    config: Config
    parameters: int
    page: str
    source: str


def _model(name: str, parameters: int, page: str, source: str, tied: bool = False, **config: int) -> Model:
    values: dict[str, int | bool] = {**config, "tie_word_embeddings": tied}
    return Model(name, values, parameters, f"https://huggingface.co/{page}", source)


MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        _model(
            "Llama 2 7B",
            6_738_415_616,
            "meta-llama/Llama-2-7b-hf",
            LLAMA,
            hidden_size=4096,
            intermediate_size=11008,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=32,
            vocab_size=32000,
        ),
        _model(
            "Mistral 7B",
            7_241_732_096,
            "mistralai/Mistral-7B-v0.1",
            MISTRAL,
            hidden_size=4096,
            intermediate_size=14336,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=8,
            vocab_size=32000,
        ),
        _model(
            "Llama 3 8B",
            8_030_261_248,
            "meta-llama/Meta-Llama-3-8B",
            LLAMA_3,
            hidden_size=4096,
            intermediate_size=14336,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=8,
            vocab_size=128256,
        ),
        _model(
            "Qwen3 4B",
            4_022_468_096,
            "Qwen/Qwen3-4B",
            QWEN_3,
            tied=True,
            hidden_size=2560,
            intermediate_size=9728,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            vocab_size=151936,
        ),
        _model(
            "Qwen3 8B",
            8_190_735_360,
            "Qwen/Qwen3-8B",
            QWEN_3,
            hidden_size=4096,
            intermediate_size=12288,
            num_hidden_layers=36,
            num_attention_heads=32,
            num_key_value_heads=8,
            head_dim=128,
            vocab_size=151936,
        ),
        _model(
            "Mixtral 8x7B",
            46_702_792_704,
            "mistralai/Mixtral-8x7B-v0.1",
            MIXTRAL,
            hidden_size=4096,
            intermediate_size=14336,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=8,
            num_local_experts=8,
            num_experts_per_tok=2,
            vocab_size=32000,
        ),
        _model(
            "Qwen3 30B-A3B",
            30_532_122_624,
            "Qwen/Qwen3-30B-A3B",
            QWEN_3,
            hidden_size=2048,
            # Of a layer without experts, of which this model has none.
            intermediate_size=6144,
            moe_intermediate_size=768,
            num_hidden_layers=48,
            num_attention_heads=32,
            num_key_value_heads=4,
            head_dim=128,
            num_experts=128,
            num_experts_per_tok=8,
            vocab_size=151936,
        ),
    )
}
