"""Figures of lesson 03, tokenizers and text. Each answers one question; the deck shows the same."""

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

from ecomtutor import datasets, models, text
from ecomtutor.figures.core import BLUE, GREEN, INK, ORANGE, Figure, drawing, finish

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

WORDS = {"en": "apple", "zh": "苹果"}
SENSES: dict[str, dict[str, list[str]]] = {
    "en": {
        "fruit": [
            "I ate an apple and a pear after lunch.",
            "This apple is crisp, sweet and full of juice.",
            "Keep the apple in the fridge, away from bananas.",
            "She baked a pie with one sour apple.",
            "The farmer picked the apple from the tree.",
            "An apple a day with my breakfast oats.",
        ],
        "phone": [
            "I bought an apple phone with a bright screen.",
            "The new apple laptop has a fast chip.",
            "Does this cable charge my apple watch?",
            "My apple tablet needs a software update.",
            "The apple store replaced my cracked screen.",
            "An apple charger costs more than the others.",
        ],
    },
    "zh": {
        "fruit": [
            "我午饭后吃了一个苹果和一个梨。",
            "这种苹果又脆又甜，汁水很多。",
            "苹果放冰箱，别和香蕉放一起。",
            "妈妈用苹果烤了一个派。",
            "果农从树上摘下苹果。",
            "早餐我吃燕麦加苹果。",
        ],
        "phone": [
            "我买了一部苹果手机，屏幕很亮。",
            "新款苹果笔记本的芯片很快。",
            "这根数据线能给苹果手表充电吗？",
            "我的苹果平板需要更新系统。",
            "苹果专卖店给我换了碎屏。",
            "苹果充电器比别的贵。",
        ],
    },
}
GROUPS = ["fruit"] * 6 + ["phone"] * 6
_LANGUAGES = {"en": "English", "zh": "Chinese"}
_NAMES = {"wordpiece-en": "WordPiece\nMiniLM", "wordpiece-zh": "WordPiece\nm3e-small"}
_NAMES["byte-bpe"] = "byte BPE\nSmolLM2"
_MERGES = (0, 50, 100, 200, 400, 700, 1000)


@cache
def sense_vectors(language: str) -> "Tensor":
    """(12 sentences, layers + 2, width): the apple of each sentence; six fruits, six phones."""
    import torch

    encoder = models.load_encoder(language)
    sentences = [sentence for group in SENSES[language].values() for sentence in group]
    return torch.stack([text.occurrence(encoder, s, WORDS[language]) for s in sentences])


@cache
def chunk_counts(language: str) -> Counter[str]:
    """How often each chunk, in visible bytes, stands in the store's product descriptions."""
    descriptions = datasets.store().products[f"description_{language}"]
    chunks = (chunk for each in descriptions for chunk in text.gpt_chunks(each))
    return Counter(map(text.visible_bytes, chunks))


def bpe_growth() -> Figure:
    """How much text does one token hold, as merges are learnt?"""
    curves = {language: _characters_a_token(language) for language in _LANGUAGES}
    with drawing(6.6, 3.3) as (fig, ax):
        for (language, curve), line, mark in zip(curves.items(), ("-", "--"), "os", strict=True):
            colour = BLUE if language == "en" else ORANGE
            ax.plot(_MERGES, curve, line, marker=mark, color=colour, label=_LANGUAGES[language])
        ax.set(xlabel="merges learnt", ylabel="characters in a token", ylim=0)
        ax.legend()
    told = "; ".join(
        f"{_LANGUAGES[language]} from {curve[0]:.2f} without merges to {curve[-1]:.2f} after 1,000"
        for language, curve in curves.items()
    )
    return finish(fig, f"Two rising lines, characters in a token on policies: {told}.")


def _characters_a_token(language: str) -> list[float]:
    """On the shop's policies, which the merges have not seen."""
    merges = text.train_bpe(chunk_counts(language), max(_MERGES))
    held = datasets.store().policies[f"text_{language}"].tolist()[:12]
    lengths = []
    for number in _MERGES:
        ranks = {merge: rank for rank, merge in enumerate(merges[:number])}
        lengths.append(sum(map(len, held)) / sum(len(text.encode_bpe(t, ranks)) for t in held))
    return lengths


@cache
def mean_tokens() -> dict[tuple[str, str], float]:
    """(tokenizer, language) → tokens of a product description, on average over the shop."""
    products = datasets.store().products
    means = {}
    for name in text.TOKENIZERS:
        for language in _LANGUAGES:
            counts = [len(text.pieces(t, name)) for t in products[f"description_{language}"]]
            means[name, language] = sum(counts) / len(counts)
    return means


def tokens_per_description() -> Figure:
    """How many tokens is the same product description, by tokenizer and language?"""
    means = mean_tokens()
    with drawing(6.8, 3.3) as (fig, ax):
        for side, (language, label) in enumerate(_LANGUAGES.items()):
            places = [x + 0.4 * side - 0.2 for x in range(len(_NAMES))]
            heights = [means[name, language] for name in _NAMES]
            colour, hatch = ((BLUE, ""), (ORANGE, "//"))[side]
            bars = ax.bar(places, heights, 0.38, color=colour, hatch=hatch, edgecolor="white")
            bars.set_label(label)
            ax.bar_label(bars, fmt="%.0f")
        ax.set_xticks(range(len(_NAMES)), list(_NAMES.values()))
        ax.set(ylabel="tokens, mean of 252 products", ylim=(0, 235))
        ax.legend(loc="upper left", ncols=2)
    told = "; ".join(f"{name}, {_LANGUAGES[lang]}: {n:.0f}" for (name, lang), n in means.items())
    return finish(fig, f"Bars of mean tokens of a product description. {told}.")


def review_lengths() -> Figure:
    """How many reviews do not fit into 512 positions?"""
    lengths = sorted(map(len, _encoded_reviews()))
    over = sum(length > 512 for length in lengths)
    with drawing(6.6, 3.0) as (fig, ax):
        ax.hist(lengths, bins=[2**k for k in _steps()], color=BLUE, edgecolor="white")
        ax.axvline(512, color=ORANGE, linestyle="--")
        ax.annotate("512", (545, 0.9 * ax.get_ylim()[1]), color=ORANGE)
        ax.set_xscale("log", base=2)
        ax.set_xticks([2**k for k in range(2, 12, 2)], [str(2**k) for k in range(2, 12, 2)])
        ax.set(xlabel="tokens of a Chinese review, [CLS] and [SEP] included", ylabel="reviews")
    return finish(
        fig,
        f"Histogram of {len(lengths):,} review lengths in tokens: the middle one has "
        f"{lengths[len(lengths) // 2]}, the longest {lengths[-1]:,}; {over} are longer than 512.",
    )


def _steps() -> list[float]:
    return [1 + 0.5 * k for k in range(22)]


def _encoded_reviews() -> list[list[int]]:
    tokenizer = text.load_tokenizer("wordpiece-zh")
    encodings = tokenizer.encode_batch(datasets.reviews("zh").text.tolist())
    return [encoding.ids for encoding in encodings]


def senses() -> Figure:
    """Is this apple a fruit or a phone? Each one's closeness to the others of either sense."""
    with drawing(7.6, 3.6, columns=2) as (fig, axes):
        told = [
            f"{_LANGUAGES[language]}: {_senses(ax, language)} of 12 lie on their own side"
            for ax, language in zip(axes, _LANGUAGES, strict=True)
        ]
    return finish(
        fig,
        f"Two panels of twelve apples, by closeness to fruits and to phones. {'; '.join(told)}. "
        "The static vectors of all twelve are one point on the diagonal.",
    )


def _senses(ax: "Axes", language: str) -> int:
    closeness = _closeness(language)
    for group, mark, colour in (("fruit", "o", BLUE), ("phone", "^", ORANGE)):
        points = [each for each, which in zip(closeness, GROUPS, strict=True) if which == group]
        across, up = zip(*points, strict=True)
        ax.scatter(across, up, marker=mark, color=colour, s=45, label=group)
    ax.scatter([1], [1], marker="*", color=GREEN, s=110, label="all 12, static")
    low = min(map(min, closeness)) - 0.02
    ax.axline((low, low), slope=1, color=INK, linewidth=0.8, linestyle=":")
    ax.set(title=f"{_LANGUAGES[language]}: {WORDS[language]}", xlim=(low, 1.02), ylim=(low, 1.02))
    ax.set(xlabel="cosine with the other fruits", ylabel="cosine with the other phones")
    ax.legend(loc="upper left", fontsize=9)
    return sum(
        (fruit > phone) == (group == "fruit")
        for (fruit, phone), group in zip(closeness, GROUPS, strict=True)
    )


def _closeness(language: str) -> list[tuple[float, float]]:
    """For each apple its mean cosine with the other fruits, and with the other phones."""
    import torch

    unit = torch.nn.functional.normalize(sense_vectors(language)[:, -1], dim=-1)
    cosine = (unit @ unit.T).tolist()
    means = []
    for i, row in enumerate(cosine):
        fruit = [row[j] for j in range(6) if j != i]
        phone = [row[j] for j in range(6, 12) if j != i]
        means.append((sum(fruit) / len(fruit), sum(phone) / len(phone)))
    return means


def separation_by_layer() -> Figure:
    """In which layer do the two senses part?"""
    with drawing(6.4, 3.2) as (fig, ax):
        told = []
        for language, line, mark, colour in (("en", "-", "o", BLUE), ("zh", "--", "s", ORANGE)):
            vectors = sense_vectors(language)
            gaps = [text.separation(vectors[:, k], GROUPS) for k in range(vectors.shape[1])]
            ax.plot(range(len(gaps)), gaps, line, marker=mark, color=colour)
            ax.annotate(WORDS[language], (len(gaps) - 0.8, gaps[-1]), color=colour)
            told.append(
                f"{WORDS[language]}: {gaps[0]:.2f} static, {gaps[-1]:.2f} in the last layer"
            )
        ax.set_xticks(range(8), ["static", "+ position", *(f"layer {k}" for k in range(1, 7))])
        ax.tick_params(axis="x", rotation=30)
        ax.set(ylabel="cosine within − across", xlim=(-0.3, 7.9))
    return finish(fig, f"How far the two senses stand apart, by layer. {'; '.join(told)}.")
