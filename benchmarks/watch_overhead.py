"""What ``watch`` costs: training steps of a ResNet-18 with and without it, in turns.

python -m benchmarks.watch_overhead [--steps 30] [--size 64] [--batch 8]
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time

import torch
from torch import nn

from dropout_lint.runtime import watch


class Block(nn.Module):
    """The basic block of He et al. (2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)])
        self.skip = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y = self.norms[0](self.first(x)).relu()
        total: torch.Tensor = self.norms[1](self.second(y)) + self.skip(x)
        return total.relu()


def resnet18() -> nn.Module:
    """Eight blocks, with a dropout before the classifier."""
    widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [Block(a, b, 1 if a == b else 2) for a, b in itertools.pairwise(widths)]
    stem = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(512, 10)]
    return nn.Sequential(*stem, *blocks, *head)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = resnet18()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    images = torch.randn(options.batch, 3, options.size, options.size)

    def step() -> float:
        start = time.process_time()
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
        return time.process_time() - start

    for _ in range(3):
        step()
    plain, watched = [], []
    for _ in range(options.steps):
        plain.append(step())
        with watch(model):
            watched.append(step())
    ratio = statistics.median(b / a for a, b in zip(plain, watched, strict=True))
    print(f"{1000 * statistics.median(plain):.1f} ms of processor time per step; with watch {ratio:.3f} times that")


if __name__ == "__main__":
    main()
