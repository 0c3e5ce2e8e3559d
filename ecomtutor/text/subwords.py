"""How tokenizers cut words into pieces: byte-pair encoding and WordPiece, written to be read.

Both give exactly the pieces of the tokenizers library; the tests hold them together on thousands
of real reviews.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from functools import cache
from itertools import pairwise

import regex

from ecomtutor.errors import EcomTutorError
from ecomtutor.text.checking import require_text

Merge = tuple[str, str]

_GPT_CHUNK = regex.compile(
    r"'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)
# The blocks of Chinese characters that BERT sets apart; kana and hangul are not among them.
_BERT_CHINESE = regex.compile(
    r"[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf"
    r"\U0002f800-\U0002fa1f]"
)
_BERT_REMOVES = regex.compile(r"[\x00\ufffd]|(?![\t\n\r])\p{C}")
_BERT_WORD = regex.compile(r"[!-/:-@\[-`{-~\p{P}]|[^\s!-/:-@\[-`{-~\p{P}]+")


def train_bpe(counts: Mapping[str, int], merges: int) -> list[Merge]:
    """Learn byte-pair merges: again and again, join the two neighbours that stand together most.

    Args:
        counts: chunk of text → how often it occurs. No merge crosses the edge of a chunk.
        merges: how many merges to learn; fewer come back when no pair is left.

    Returns:
        The merges in the order in which they were learnt. Among equally frequent pairs the one
        whose symbols are older wins, as in the tokenizers library.

    Source:
        Sennrich, Haddow and Birch (2016), algorithm 1.
    """
    chunks = {chunk: list(chunk) for chunk in counts}
    age = {symbol: i for i, symbol in enumerate(sorted(set("".join(counts))))}
    pairs: Counter[Merge] = Counter()
    where: defaultdict[Merge, set[str]] = defaultdict(set)
    for chunk in counts:
        _count_pairs(chunk, chunks[chunk], counts[chunk], pairs, where)
    learnt: list[Merge] = []
    while len(learnt) < merges and (best := _most_frequent(pairs, age)):
        learnt.append(best)
        age.setdefault("".join(best), len(age))
        for chunk in where.pop(best):
            _count_pairs(chunk, chunks[chunk], -counts[chunk], pairs, where)
            chunks[chunk] = _merged(chunks[chunk], best)
            _count_pairs(chunk, chunks[chunk], counts[chunk], pairs, where)
    return learnt


def bpe(chunk: str, merges: Sequence[Merge] | Mapping[Merge, int]) -> list[str]:
    """Cut one chunk: start from single characters, apply the earliest merge that fits, repeat.

    Args:
        chunk: a word, or whatever the merges were learnt on.
        merges: from `train_bpe`, or a dictionary merge → rank, which is faster for many chunks.
    """
    ranks = merges if isinstance(merges, Mapping) else {m: i for i, m in enumerate(merges)}
    symbols = list(chunk)
    while True:
        known = [pair for pair in pairwise(symbols) if pair in ranks]
        if not known:
            return symbols
        symbols = _merged(symbols, min(known, key=ranks.__getitem__))


def encode_bpe(text: str, merges: Sequence[Merge] | Mapping[Merge, int]) -> list[str]:
    """The byte-level pieces of a text, as GPT-2 and its descendants cut it."""
    ranks = merges if isinstance(merges, Mapping) else {m: i for i, m in enumerate(merges)}
    return [piece for chunk in gpt_chunks(text) for piece in bpe(visible_bytes(chunk), ranks)]


def gpt_chunks(text: str) -> list[str]:
    """Words with the space before them, numbers, runs of signs: what no GPT-2 merge crosses.

    A Chinese clause has no spaces and is one chunk. Joined, the chunks give the text back.

    Source:
        Radford et al. (2019), GPT-2.
    """
    return _GPT_CHUNK.findall(require_text(text))


def visible_bytes(text: str) -> str:
    """The UTF-8 bytes of a text, each as one printable character: "é" is "Ã©", a space is "Ġ"."""
    alphabet = _byte_alphabet()
    return "".join(alphabet[byte] for byte in require_text(text).encode("utf-8"))


def from_visible_bytes(visible: str) -> str:
    """The text whose bytes these are; an incomplete character shows as �.

    Raises:
        EcomTutorError: a character that stands for no byte.
    """
    byte_of = {character: byte for byte, character in enumerate(_byte_alphabet())}
    if strange := set(require_text(visible)) - byte_of.keys():
        raise EcomTutorError(f"{sorted(strange)[0]!r} stands for no byte: join the pieces first.")
    return bytes(byte_of[character] for character in visible).decode("utf-8", "replace")


def bert_words(text: str, lowercase: bool = True) -> list[str]:
    """What BERT looks up: words at spaces and signs, each Chinese character alone.

    Args:
        text: in any language.
        lowercase: also strips accents. MiniLM was trained so; m3e-small leaves case as it is.

    Source:
        Devlin et al. (2019), the basic tokenizer of BERT.
    """
    text = _BERT_REMOVES.sub("", require_text(text))
    text = _BERT_CHINESE.sub(r" \g<0> ", text)
    if lowercase:
        text = regex.sub(r"\p{Mn}", "", unicodedata.normalize("NFD", text)).lower()
    return _BERT_WORD.findall(text)


def wordpiece(
    word: str, vocabulary: Container[str], unknown: str = "[UNK]", longest: int = 100
) -> list[str]:
    """Cut one word: from the left, take the longest piece that the vocabulary has, repeat.

    Args:
        word: from `bert_words`.
        vocabulary: the pieces; one that continues a word begins with "##".
        unknown: what a word becomes, as a whole, when any part of it has no piece.
        longest: characters; a longer word is unknown.

    Source:
        Schuster and Nakajima (2012); Wu et al. (2016).
    """
    pieces: list[str] = []
    start = 0
    while start < len(word) <= longest:
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if prefix + word[start:end] in vocabulary), None)
        if end is None:
            return [unknown]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces if len(word) <= longest else [unknown]


def encode_wordpiece(text: str, vocabulary: Container[str], lowercase: bool = True) -> list[str]:
    """The WordPiece pieces of a text, as BERT cuts it, without [CLS] and [SEP]."""
    found = bert_words(text, lowercase)
    return [piece for word in found for piece in wordpiece(word, vocabulary)]


def _count_pairs(
    chunk: str,
    symbols: list[str],
    count: int,
    pairs: Counter[Merge],
    where: defaultdict[Merge, set[str]],
) -> None:
    for pair in pairwise(symbols):
        pairs[pair] += count
        where[pair].add(chunk)


def _most_frequent(pairs: Counter[Merge], age: Mapping[str, int]) -> Merge | None:
    most = max(pairs.values(), default=0)
    if most < 1:
        return None
    best = (pair for pair, count in pairs.items() if count == most)
    return min(best, key=lambda pair: (age[pair[0]], age[pair[1]]))


def _merged(symbols: list[str], pair: Merge) -> list[str]:
    merged: list[str] = []
    rest = iter(range(len(symbols)))
    for i in rest:
        if tuple(symbols[i : i + 2]) == pair:
            merged.append(symbols[i] + symbols[i + 1])
            next(rest)
        else:
            merged.append(symbols[i])
    return merged


@cache
def _byte_alphabet() -> list[str]:
    """A printable character for each byte: itself where it has one, else one above 255."""
    printable = {*range(ord("!"), 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    stand_in = {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [stand_in.get(byte, chr(byte)) for byte in range(256)]
