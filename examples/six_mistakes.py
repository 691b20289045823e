"""A small text classifier and its training loop, with six mistakes about dropout, each of them found in public code.

The file runs, the loss goes down, and all six change what the model learns or answers:

    dropout-lint examples            # what is wrong, and why
    dropout-lint --diff examples     # what --fix would change
"""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x, padding):
        batch, length, dim = x.shape
        qkv = self.qkv(x).view(batch, length, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mask = padding[:, None, None, :]
        # Mistake 1
        x = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=self.dropout)
        x = self.out(x.transpose(1, 2).reshape(batch, length, dim))
        # Mistake 2
        return F.dropout(x, self.dropout)


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, dropout)
        self.up = nn.Linear(dim, 4 * dim)
        self.down = nn.Linear(4 * dim, dim)

    def forward(self, x, padding):
        x = x + self.attention(self.norm1(x), padding)
        hidden = F.gelu(self.up(self.norm2(x)))
        # Mistake 3
        hidden = nn.Dropout(self.dropout)(hidden)
        return x + self.down(hidden)


class Classifier(nn.Module):
    def __init__(self, words: int, classes: int, dim: int = 128, dropout: float = 0.1, keep_prob: float = 0.8):
        super().__init__()
        self.embedding = nn.Embedding(words, dim, padding_idx=0)
        # Mistake 4
        self.embedding_dropout = nn.Dropout(keep_prob)
        self.blocks = nn.ModuleList(Block(dim, 4, dropout) for _ in range(2))
        # Mistake 5
        self.lstm = nn.LSTM(dim, dim, batch_first=True, dropout=dropout)
        self.head = nn.Linear(dim, classes)

    def forward(self, tokens):
        padding = tokens != 0
        x = self.embedding_dropout(self.embedding(tokens))
        for block in self.blocks:
            x = block(x, padding)
        _, (last, _) = self.lstm(x)
        x = last[-1]
        # Mistake 6
        F.dropout(x, 0.5, training=self.training)
        return self.head(x)


def train(model, batches, optimizer):
    model.train()
    for tokens, labels in batches:
        optimizer.zero_grad()
        F.cross_entropy(model(tokens), labels).backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, batches):
    model.eval()
    losses = [F.cross_entropy(model(tokens), labels) for tokens, labels in batches]
    return torch.stack(losses).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    args = parser.parse_args()
    torch.manual_seed(0)
    tokens = torch.randint(1, 100, (256, 12))
    batches = list(zip(tokens.split(32), (tokens[:, 0] % 2).split(32), strict=True))
    model = Classifier(words=100, classes=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        train(model, batches, optimizer)
        # In eval mode, the same question twice should have the same answer.
        print(f"epoch {epoch}: loss {evaluate(model, batches):.4f}, asked again {evaluate(model, batches):.4f}")


if __name__ == "__main__":
    main()
