"""The matmuls of published language models: their shapes, operations and bytes, from configurations alone."""

from kernels.census.matmuls import Matmul, census, matmuls
from kernels.census.models import MODELS, Config, Model

__all__ = ["MODELS", "Config", "Matmul", "Model", "census", "matmuls"]
