"""Exercises and quiz of lesson 03, tokenizers and text."""

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_TIDY = '''
def tidy(text):
    """Entities read, full-width signs made ordinary, one space at a time."""
    text = html.unescape(text)
    text = unicodedata.normalize("NFKC", text)
    return " ".join(text.split())
'''


def _tidy(*steps: str) -> Callable[[str], str]:
    step: dict[str, Callable[[str], str]] = {
        "unescape": html.unescape,
        "normalize": lambda text: unicodedata.normalize("NFKC", text),
        "spaces": lambda text: " ".join(text.split()),
        "no spaces": lambda text: "".join(text.split()),
        "strip": str.strip,
        "lower": str.lower,
    }

    def tidy(text: str) -> str:
        for name in steps:
            text = step[name](text)
        return text

    return tidy


def _check_tidy(tidy: Any) -> None:
    expect_function(
        tidy,
        _tidy("unescape", "normalize", "spaces"),
        cases=[
            ("房&#38388;很小",),
            ("６月２２日 IPX7",),
            ("Good &amp; cheap",),
            (" a&nbsp;&nbsp;b\n\u3000c ",),
            ("Ａ4纸 &#65313;4",),
        ],
        mistakes=[
            (
                _tidy("normalize", "unescape", "spaces"),
                "You normalised before you unescaped. &#65313; is a full-width Ａ, but only once "
                "the entity has been read.",
            ),
            (
                _tidy("spaces", "unescape", "normalize"),
                "You joined the spaces first. &nbsp; becomes a space only when it is read.",
            ),
            (_tidy("normalize", "spaces"), "The entities are still there: html.unescape."),
            (
                _tidy("unescape", "spaces"),
                "Full-width letters and digits are still wide: unicodedata.normalize.",
            ),
            (
                _tidy("unescape", "normalize", "no spaces"),
                "You removed every space. English words would run together: join with one space.",
            ),
            (
                _tidy("unescape", "normalize", "strip"),
                "strip() cleans the ends only. Runs of white space inside the text are left.",
            ),
            (
                _tidy("unescape", "normalize"),
                "The white space is as it was: split() and join it again.",
            ),
            (
                _tidy("unescape", "normalize", "spaces", "lower"),
                "You changed the case. Whether IPX7 may become ipx7 is the tokenizer's business.",
            ),
        ],
    )


_TOKENS_OF = '''
def tokens_of(word, offsets):
    """Positions of the tokens that carry some of the characters of word."""
    start, end = word
    return [i for i, (a, b) in enumerate(offsets) if a < end and b > start]
'''

_Span = tuple[int, int]


def _tokens_where(fits: Callable[[int, int, int, int], bool]) -> Callable[..., list[int]]:
    def tokens_of(word: _Span, offsets: list[_Span]) -> list[int]:
        return [i for i, (a, b) in enumerate(offsets) if fits(*word, a, b)]

    return tokens_of


def _check_tokens_of(tokens_of: Any) -> None:
    # [CLS] water ##proof ear ##phones [SEP] of "waterproof earphones", and "ĠIP" "X7" of " IPX7".
    wordpiece = [(0, 0), (0, 5), (5, 10), (11, 14), (14, 20), (0, 0)]
    characters = [(0, 0), (0, 1), (1, 2), (2, 3), (3, 4), (0, 0)]
    bytes_ = [(0, 1), (0, 1), (1, 4), (4, 6), (6, 7)]
    overlap = _tokens_where(lambda start, end, a, b: a < end and b > start)

    def first_only(word: _Span, offsets: list[_Span]) -> list[int]:
        return overlap(word, offsets)[:1]

    def spans(word: _Span, offsets: list[_Span]) -> list[_Span]:
        return [offsets[i] for i in overlap(word, offsets)]

    expect_function(
        tokens_of,
        overlap,
        cases=[((2, 4), characters), ((0, 10), wordpiece), ((2, 6), bytes_)],
        mistakes=[
            (
                _tokens_where(lambda start, end, a, b: start <= a and b <= end),
                "You ask for tokens that lie wholly inside the word. (0, 0) of [CLS] passes that "
                "test and has no characters; a token that takes the space with it, or a part of "
                "the next word, fails it. Ask whether they overlap.",
            ),
            (
                _tokens_where(lambda start, end, a, b: start <= a and b <= end and a < b),
                "A token may begin before the word: byte-level BPE takes the space with it. Ask "
                "whether the two overlap, not whether the token lies inside.",
            ),
            (
                _tokens_where(lambda start, end, a, b: a <= end and b >= start),
                "Your tokens include neighbours that only touch the word. An end is the first "
                "character that is no longer part: compare with < and >.",
            ),
            (
                _tokens_where(lambda start, end, a, b: (a, b) == (start, end)),
                "You look for one token with exactly the word's offsets. A word can be several.",
            ),
            (first_only, "That is the first token only. A word can have several: return them all."),
            (spans, "You returned offsets. Asked are positions in the list of tokens."),
        ],
    )


_PAIR = '''
def most_frequent_pair(counts):
    """counts: tuple of symbols -> how often. The pair that stands together most."""
    pairs = Counter()
    for symbols, count in counts.items():
        for pair in zip(symbols, symbols[1:], strict=False):
            pairs[pair] += count
    return pairs.most_common(1)[0][0]
'''

_Counts = dict[tuple[str, ...], int]


def _pairs(counts: _Counts, weigh: bool = True) -> Counter[tuple[str, str]]:
    pairs: Counter[tuple[str, str]] = Counter()
    for symbols, count in counts.items():
        for pair in pairwise(symbols):
            pairs[pair] += count if weigh else 1
    return pairs


def _most(pairs: Counter[tuple[str, str]]) -> tuple[str, str]:
    return pairs.most_common(1)[0][0]


def _once_a_word(counts: _Counts) -> tuple[str, str]:
    pairs: Counter[tuple[str, str]] = Counter()
    for symbols, count in counts.items():
        for pair in set(pairwise(symbols)):
            pairs[pair] += count
    return _most(pairs)


def _any_two(counts: _Counts) -> tuple[str, str]:
    pairs: Counter[tuple[str, str]] = Counter()
    for symbols, count in counts.items():
        for i, first in enumerate(symbols):
            for second in symbols[i + 1 :]:
                pairs[first, second] += count
    return _most(pairs)


def _check_most_frequent_pair(most_frequent_pair: Any) -> None:
    words = {"cable": 3, "card": 4, "charge": 3, "large": 2, "range": 1, "orange": 1}
    letters = {tuple(word): count for word, count in words.items()}
    merged = {("充电", "器"): 5, ("充电", "线"): 4, ("数", "据", "线"): 6, ("电", "线"): 1}
    doubled = {("哈",) * 5: 2, ("好", "的"): 7}
    apart = {("a", "x", "b"): 3, ("a", "y", "b"): 3, ("x", "b", "z"): 1}
    expect_function(
        most_frequent_pair,
        lambda counts: _most(_pairs(counts)),
        cases=[(letters,), (merged,), (doubled,), (apart,)],
        mistakes=[
            (
                lambda counts: _most(_pairs(counts, weigh=False)),
                "You counted each word once. A word that occurs five times brings its pairs five "
                "times: add its count.",
            ),
            (
                lambda counts: "".join(_most(_pairs(counts))),
                "You joined the pair already. Return the two symbols as a tuple.",
            ),
            (
                lambda counts: _pairs(counts).most_common(1)[0],
                "That is the pair together with its count. Only the pair is asked for.",
            ),
            (
                lambda counts: _pairs(counts).most_common(1)[0][1],
                "That is the count of the best pair, not the pair.",
            ),
            (
                _any_two,
                "You paired symbols that are not neighbours. Only what stands side by side can "
                "be joined.",
            ),
            (
                _once_a_word,
                "You counted a pair once in each word. In 哈哈哈哈哈 it stands four times.",
            ),
            (
                lambda counts: _most(Counter({p: -n for p, n in _pairs(counts).items()})),
                "That is the rarest pair: the order is upside down.",
            ),
        ],
    )


_CUT = '''
def cut(word, vocabulary):
    """WordPiece: the longest known piece from the left, again and again."""
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces
'''


def _cut(shortest: bool = False, marks: bool = True, unknown: str = "whole") -> Callable[..., Any]:
    """A WordPiece with one likely mistake built in."""

    def cut(word: str, vocabulary: set[str]) -> list[str]:
        pieces: list[str] = []
        start = 0
        while start < len(word):
            prefix = "##" if start and marks else ""
            ends = range(start + 1, len(word) + 1)
            known = [end for end in ends if prefix + word[start:end] in vocabulary]
            if not known:
                if unknown != "character":
                    return ["[UNK]"] if unknown == "whole" else [*pieces, "[UNK]"]
                pieces.append("[UNK]")
                start += 1
                continue
            end = known[0] if shortest else known[-1]
            pieces.append(prefix + word[start:end])
            start = end
        return pieces

    return cut


def _check_cut(cut: Any) -> None:
    vocabulary = {"water", "w", "##proof", "##pro", "##of", "ear", "##phones", "##p", "##s", "耳"}
    vocabulary |= {"##a", "##ter", "##r", "##f", "##o"}

    def without_marks(word: str, vocabulary: set[str]) -> list[str]:
        return [piece.removeprefix("##") for piece in _cut()(word, vocabulary)]

    expect_function(
        cut,
        _cut(),
        cases=[
            ("waterproof", vocabulary),
            ("earphones", vocabulary),
            ("watercool", vocabulary),
            ("耳", vocabulary),
        ],
        mistakes=[
            (
                _cut(shortest=True),
                "You take the shortest piece first. WordPiece is greedy for the longest.",
            ),
            (
                _cut(marks=False),
                "A piece that continues a word begins with ## in the vocabulary. Look it up so.",
            ),
            (without_marks, "The pieces are right, but those that continue a word lost their ##."),
            (
                _cut(unknown="rest"),
                "You kept the pieces before the unknown part. WordPiece gives up on the whole "
                "word: one [UNK].",
            ),
            (
                _cut(unknown="character"),
                "You gave one [UNK] for each character that has no piece. WordPiece gives one for "
                "the whole word.",
            ),
        ],
    )


_COST = '''
def cost(tokens, rate, limit):
    """Yuan for texts of so many tokens, each cut at `limit`; `rate` is per 1,000."""
    return sum(min(count, limit) for count in tokens) / 1000 * rate
'''


def _check_cost(cost: Any) -> None:
    def begun(tokens: list[int], rate: float, limit: int) -> float:
        return -(-sum(min(n, limit) for n in tokens) // 1000) * rate

    expect_function(
        cost,
        lambda tokens, rate, limit: sum(min(n, limit) for n in tokens) / 1000 * rate,
        cases=[([100, 700, 2878], 0.02, 512), ([188] * 252, 0.02, 512), ([], 0.02, 512)],
        mistakes=[
            (
                lambda tokens, rate, limit: sum(tokens) / 1000 * rate,
                "You pay for tokens that are cut off: each text counts at most `limit` tokens.",
            ),
            (
                lambda tokens, rate, limit: min(sum(tokens), limit) / 1000 * rate,
                "You cut the sum. The limit holds for each text on its own.",
            ),
            (
                lambda tokens, rate, limit: sum(n for n in tokens if n <= limit) / 1000 * rate,
                "You left the long texts out. They are cut, not dropped.",
            ),
            (
                lambda tokens, rate, limit: sum(min(n, limit) for n in tokens) * rate,
                "The rate is for 1,000 tokens: divide by 1000.",
            ),
            (
                lambda tokens, rate, limit: sum(min(n, limit) for n in tokens) / 1e6 * rate,
                "You divided by a million. This rate is for 1,000 tokens.",
            ),
            (begun, "You rounded up to whole thousands. A rate is paid in proportion."),
        ],
    )


EXERCISES = [
    Exercise(
        id="03.1",
        title="Tidy a review",
        difficulty=1,
        importance=4,
        minutes=5,
        points=2,
        answer="tidy",
        setup="import html\nimport unicodedata",
        stub='''
            def tidy(text):
                """Entities read, full-width signs made ordinary, one space at a time."""
                ...
        ''',
        solution=_TIDY,
        check=_check_tidy,
        hints=[
            "Three steps: html.unescape, unicodedata.normalize with NFKC, and the white space.",
            '" ".join(text.split()) leaves one space between words. Which step must come first, '
            "when an entity can stand for a full-width letter?",
        ],
        wrong_answers=[
            WrongAnswer(
                "def tidy(text):\n"
                "    return ' '.join(html.unescape(unicodedata.normalize('NFKC', text)).split())",
                "before you unescaped",
            ),
            WrongAnswer(
                "def tidy(text):\n"
                "    text = html.unescape(' '.join(text.split()))\n"
                "    return unicodedata.normalize('NFKC', text)",
                "joined the spaces first",
            ),
            WrongAnswer(changed(_TIDY, "html.unescape(text)", "text"), "entities are still"),
            WrongAnswer(
                changed(_TIDY, 'unicodedata.normalize("NFKC", text)', "text"), "still wide"
            ),
            WrongAnswer(changed(_TIDY, '" ".join', '"".join'), "run together"),
            WrongAnswer(changed(_TIDY, '" ".join(text.split())', "text.strip()"), "ends only"),
            WrongAnswer(changed(_TIDY, '" ".join(text.split())', "text"), "white space is as"),
            WrongAnswer(changed(_TIDY, "text.split())", "text.lower().split())"), "the case"),
        ],
        praise="Entities first: they may hide full-width letters and spaces.",
        explanation="Each step can bring to light what a later one must mend, so the order counts.",
    ),
    Exercise(
        id="03.2",
        title="Which tokens carry this word?",
        difficulty=2,
        importance=5,
        minutes=6,
        points=3,
        answer="tokens_of",
        stub='''
            def tokens_of(word, offsets):
                """Positions of the tokens that carry some of the characters of word."""
                ...
        ''',
        solution=_TOKENS_OF,
        check=_check_tokens_of,
        hints=[
            "Draw the word and a token as two bars on a line. When do they share a character?",
            "They overlap when each begins before the other ends: a < end and start < b.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_TOKENS_OF, "a < end and b > start", "start <= a and b <= end"),
                "Ask whether they overlap",
            ),
            WrongAnswer(
                changed(_TOKENS_OF, "a < end and b > start", "start <= a < b <= end"),
                "takes the space with it",
            ),
            WrongAnswer(
                changed(_TOKENS_OF, "a < end and b > start", "a <= end and b >= start"),
                "only touch the word",
            ),
            WrongAnswer(
                changed(_TOKENS_OF, "a < end and b > start", "(a, b) == word"),
                "exactly the word's offsets",
            ),
            WrongAnswer(
                changed(_TOKENS_OF, "a < end and b > start]", "a < end and b > start][:1]"),
                "the first token only",
            ),
            WrongAnswer(
                changed(
                    _TOKENS_OF,
                    "[i for i, (a, b) in enumerate(offsets)",
                    "[(a, b) for a, b in offsets",
                ),
                "You returned offsets",
            ),
        ],
        praise="Every explanation of a word in this course stands on this line.",
        explanation="Two spans share a character when each begins before the other ends.",
    ),
    Exercise(
        id="03.3",
        title="The heart of BPE: the most frequent pair",
        difficulty=2,
        importance=4,
        minutes=6,
        points=3,
        answer="most_frequent_pair",
        setup="from collections import Counter",
        stub='''
            def most_frequent_pair(counts):
                """counts: tuple of symbols -> how often. The pair that stands together most."""
                ...
        ''',
        solution=_PAIR,
        check=_check_most_frequent_pair,
        hints=[
            "zip(symbols, symbols[1:], strict=False) gives the neighbours of one word.",
            "A Counter adds up: pairs[pair] += count. most_common(1) gives [(pair, count)].",
        ],
        wrong_answers=[
            WrongAnswer(changed(_PAIR, "+= count", "+= 1"), "each word once"),
            WrongAnswer(
                changed(_PAIR, "pairs.most_common(1)[0][0]", '"".join(pairs.most_common(1)[0][0])'),
                "joined the pair already",
            ),
            WrongAnswer(changed(_PAIR, "(1)[0][0]", "(1)[0]"), "together with its count"),
            WrongAnswer(changed(_PAIR, "(1)[0][0]", "(1)[0][1]"), "not the pair"),
            WrongAnswer(
                changed(_PAIR, "most_common(1)[0][0]", "most_common()[-1][0]"), "upside down"
            ),
            WrongAnswer(
                changed(
                    _PAIR,
                    "zip(symbols, symbols[1:], strict=False)",
                    "set(zip(symbols, symbols[1:], strict=False))",
                ),
                "once in each word",
            ),
            WrongAnswer(
                "from itertools import combinations\n"
                + changed(
                    _PAIR, "zip(symbols, symbols[1:], strict=False)", "combinations(symbols, 2)"
                ),
                "not neighbours",
            ),
        ],
        praise="Call it, merge, call it again: that is the whole training of BPE.",
        explanation="A pair weighs as much as all the words that contain it.",
    ),
    Exercise(
        id="03.4",
        title="WordPiece: the longest piece first",
        difficulty=3,
        importance=4,
        minutes=8,
        points=4,
        answer="cut",
        stub='''
            def cut(word, vocabulary):
                """WordPiece: the longest known piece from the left, again and again."""
                ...
        ''',
        solution=_CUT,
        check=_check_cut,
        hints=[
            "Two loops: one walks from piece to piece, the other tries ends from the far right.",
            'Look up ("##" if start else "") + word[start:end].',
            'When no end fits, return ["[UNK]"]: the whole word is unknown.',
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_CUT, "range(len(word), start, -1)", "range(start + 1, len(word) + 1)"),
                "shortest piece first",
            ),
            WrongAnswer(changed(_CUT, '("##" if start else "") + ', ""), "begins with ##"),
            WrongAnswer(
                changed(_CUT, "pieces.append(piece)", "pieces.append(word[start:end])"),
                "lost their ##",
            ),
            WrongAnswer(
                changed(_CUT, 'return ["[UNK]"]', 'return [*pieces, "[UNK]"]'),
                "gives up on the whole word",
            ),
            WrongAnswer(
                changed(_CUT, 'return ["[UNK]"]', 'piece, end = "[UNK]", start + 1'),
                "for each character",
            ),
        ],
        praise="With MiniLM's vocabulary this cuts exactly as MiniLM's tokenizer does.",
        explanation="Greedy from the left, ## inside a word, and all or nothing for the unknown.",
    ),
    Exercise(
        id="03.5",
        title="What does the call cost?",
        difficulty=1,
        importance=3,
        minutes=4,
        points=2,
        answer="cost",
        stub='''
            def cost(tokens, rate, limit):
                """Yuan for texts of so many tokens, each cut at `limit`; `rate` is per 1,000."""
                ...
        ''',
        solution=_COST,
        check=_check_cost,
        hints=[
            "What does a text of 700 tokens count when the limit is 512?",
            "min(count, limit) for each, then the sum, then the rate for a thousand.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_COST, "min(count, limit)", "count"), "that are cut off"),
            WrongAnswer(
                changed(
                    _COST, "sum(min(count, limit) for count in tokens)", "min(sum(tokens), limit)"
                ),
                "You cut the sum",
            ),
            WrongAnswer(
                changed(
                    _COST,
                    "min(count, limit) for count in tokens",
                    "count for count in tokens if count <= limit",
                ),
                "cut, not dropped",
            ),
            WrongAnswer(changed(_COST, " / 1000", ""), "divide by 1000"),
            WrongAnswer(changed(_COST, " / 1000", " / 1_000_000"), "a million"),
            WrongAnswer(
                "import math\n"
                + changed(
                    _COST,
                    "sum(min(count, limit) for count in tokens) / 1000",
                    "math.ceil(sum(min(count, limit) for count in tokens) / 1000)",
                ),
                "whole thousands",
            ),
        ],
        praise="Count tokens with the tokenizer of the model that you pay for, not with another.",
        explanation="Each text counts at most `limit`; the rate is for a thousand tokens.",
    ),
]

QUIZ = [
    Question(
        "A review says 房&#38388;很小. Which step must come first?",
        options=[
            Option("Cut it into words.", "jieba would cut at & and #, and 38388 would be a word."),
            Option(
                "Read the HTML entity: &#38388; is 间.",
                "Before that the word 房间, room, does not stand in the text at all.",
                right=True,
            ),
            Option("Remove all punctuation.", "Then 房38388很小 is left: the word is destroyed."),
            Option("Put it in lower case.", "Neither Chinese nor digits have a case."),
        ],
    ),
    Question(
        "Why does re.findall(r'\\w+', text) give bad words for Chinese?",
        options=[
            Option(
                "Because \\w does not match Chinese characters.",
                "It does, in Python 3: that is the trouble.",
            ),
            Option(
                "Because it cuts every character apart.",
                "list(text) would; \\w+ never cuts inside.",
            ),
            Option(
                "Because it needs the right encoding.", "A Python string has no encoding any more."
            ),
            Option(
                "Because no space ends a word, so a whole clause comes out as one.",
                "In the reviews its units are more than eight characters long, and most of them "
                "never come twice.",
                right=True,
            ),
        ],
    ),
    Question(
        "BPE has the merges (a, r), (g, e), (ar, ge), in this order. How is “large” cut?",
        options=[
            Option(
                "l, arge",
                "First ar, then ge, then both together. No merge begins with l.",
                right=True,
            ),
            Option("large", "There is no merge for l and arge."),
            Option("l, ar, ge", "The third merge joins ar and ge."),
            Option("l, a, r, g, e", "Those are the symbols before the first merge."),
        ],
    ),
    Question(
        "m3e-small turns both IPX4 and IPX7 into [UNK]. What follows?",
        options=[
            Option(
                "The model guesses from the words around them which one it is.",
                "It may guess that something technical stands there, but both give the same input.",
            ),
            Option("The model raises an error.", "[UNK] is an ordinary token with its own vector."),
            Option(
                "Two titles that differ only there get exactly the same vectors.",
                "Same tokens in, same numbers out. In lower case they are ip ##x ##4 and "
                "ip ##x ##7.",
                right=True,
            ),
            Option("Only the price changes.", "Fewer tokens are cheaper, but the content is gone."),
        ],
    ),
    Question(
        "A byte-level BPE that was trained on English text reads Chinese. What happens?",
        options=[
            Option("Each character becomes [UNK].", "It has no [UNK]: all 256 bytes are known."),
            Option(
                "Nothing is lost, but a character costs up to three tokens.",
                "A Chinese character is three bytes in UTF-8, and few merges join them.",
                right=True,
            ),
            Option(
                "It cuts at word borders, because bytes carry them.", "Bytes know nothing of words."
            ),
            Option("It costs as much as English.", "The same description took twice the tokens."),
        ],
    ),
    Question(
        "Which statements about the static vector of “apple” are true?",
        several=True,
        options=[
            Option(
                "It is the same in every sentence.",
                "It is a row of a table, looked up by the token's number.",
                right=True,
            ),
            Option(
                "It stands near “iphone” and near “apples”.",
                "One vector has to serve both senses, so it lies near both.",
                right=True,
            ),
            Option(
                "It tells fruit from phone when enough sentences are averaged.",
                "The average of equal vectors is that vector: the gap between the senses is 0.",
            ),
            Option(
                "It needs no transformer layer.",
                "It is what enters the first layer.",
                right=True,
            ),
        ],
    ),
    Question(
        "Your stop list holds 不 and “not”. What did the lesson measure?",
        options=[
            Option(
                "Accuracy fell to chance.",
                "Other words still tell praise from complaint; the loss was small.",
            ),
            Option("Nothing changed.", "Accuracy fell a little, and “not good” became “good”."),
            Option("Accuracy rose, because there is less noise.", "It fell, though not by much."),
            Option(
                "Accuracy fell by about a point, and single reviews turned into their opposite.",
                "A mean over many reviews hides what happens to a short one.",
                right=True,
            ),
        ],
    ),
]
