"""Exercises and quiz of lesson 11, LIME."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_NEARNESS = '''
def nearness(present, kernel_width=0.25):
    """How much each text counts: present (samples, words) is True for what is there."""
    distance = 1 - np.sqrt(present.mean(axis=1))
    return np.sqrt(np.exp(-(distance**2) / kernel_width**2))
'''


def _check_nearness(nearness: Any) -> None:
    import numpy as np

    def by(distance: Any, root: bool = True, power: int = 2) -> Any:
        def weights(present: Any, kernel_width: float = 0.25) -> Any:
            far = distance(present.mean(axis=1))
            near = np.exp(-(far**2) / kernel_width**power)
            return np.sqrt(near) if root else near

        return weights

    def right(there: Any) -> Any:
        return 1 - np.sqrt(there)

    dice = np.random.default_rng(11)
    present = dice.random((9, 7)) < 0.6
    present[0], present[1] = True, False
    expect_function(
        nearness,
        by(right),
        cases=[(present,), (present, 0.1), (present[:, :4], 1.0)],
        mistakes=[
            (
                by(right, root=False),
                "The root over the exponential is missing: lime takes the square root of it.",
            ),
            (
                by(lambda there: 1 - there),
                "Your distance is the share of hidden words. LIME's is 1 minus the cosine, and the "
                "cosine with the whole text is the square root of the share that is there.",
            ),
            (
                by(np.sqrt),
                "That is the cosine itself: the whole text would be the farthest. The distance is "
                "1 minus it.",
            ),
            (by(right, power=1), "The kernel width is squared, like the distance above it."),
            (
                by(lambda there: 100 * (1 - np.sqrt(there))),
                "Your distances go to 100, your width does not: lime multiplies both by 100 or "
                "neither.",
            ),
            (
                by(lambda there: np.sqrt(1 - there)),
                "Your distance is the root of the hidden share. Take 1 minus the root of the share "
                "that is there.",
            ),
            (
                by(lambda there: 1 - np.sqrt(1 - there)),
                "You count the hidden words. True stands for what is there: present.mean(axis=1) "
                "is the share that stays.",
            ),
            (
                lambda present, kernel_width=0.25: by(right)(present, 0.25),
                "Your width is always 0.25. Use the argument kernel_width.",
            ),
            (
                lambda present, kernel_width=0.25: np.sqrt(
                    np.exp(-right(present.mean(axis=1)) / kernel_width)
                ),
                "The square over the distance and the width is missing.",
            ),
            (
                lambda present, kernel_width=0.25: np.sqrt(
                    np.exp(right(present.mean(axis=1)) ** 2 / kernel_width**2)
                ),
                "The minus in the exponent is missing: far texts count more than near ones.",
            ),
            (
                lambda present, kernel_width=0.25: right(present.mean(axis=1)),
                "That is the distance. The nearness is the root of exp(-distance² / width²).",
            ),
            (
                by(lambda there: np.where(there > 0, right(there), np.nan)),
                "With every word hidden your cosine is 0 divided by 0. lime gives such a text the "
                "distance 1; the root of the share that is there does so by itself.",
            ),
            (
                lambda present, kernel_width=0.25: by(right)(present.T, kernel_width),
                "That is one number for each word. Take the mean over words, axis=1: one number "
                "for each text.",
            ),
        ],
    )


_LINE = '''
def weighted_line(x, y, weight, ridge=1.0):
    """Coefficients (words,) and intercept of the line that fits y (samples,) best."""
    share = weight / weight.sum()
    a, b = x - share @ x, y - share @ y
    gram = a.T @ (weight[:, None] * a) + ridge * np.eye(x.shape[1])
    coefficients = np.linalg.solve(gram, a.T @ (weight * b))
    return coefficients, share @ y - share @ x @ coefficients
'''


def _check_line(weighted_line: Any) -> None:
    import numpy as np

    def line(x: Any, y: Any, weight: Any, ridge: float = 1.0, twice: bool = False) -> Any:
        share = weight / weight.sum()
        a, b = x - share @ x, y - share @ y
        pull = weight**2 if twice else weight
        gram = a.T @ (pull[:, None] * a) + ridge * np.eye(x.shape[1])
        found = np.linalg.solve(gram, a.T @ (pull * b))
        return found, float(share @ y - share @ x @ found)

    def penalised(x: Any, y: Any, weight: Any, ridge: float = 1.0) -> Any:
        with_one = np.column_stack([x, np.ones(len(x))])
        gram = with_one.T @ (weight[:, None] * with_one) + ridge * np.eye(x.shape[1] + 1)
        found = np.linalg.solve(gram, with_one.T @ (weight * y))
        return found[:-1], float(found[-1])

    def plain_means(x: Any, y: Any, weight: Any, ridge: float = 1.0) -> Any:
        a, b = x - x.mean(axis=0), y - y.mean()
        gram = a.T @ (weight[:, None] * a) + ridge * np.eye(x.shape[1])
        found = np.linalg.solve(gram, a.T @ (weight * b))
        return found, float(y.mean() - x.mean(axis=0) @ found)

    def as_given(x: Any, y: Any, weight: Any, ridge: float = 1.0) -> Any:
        found, _ = line(x, y, weight, ridge)
        return found, float(weight @ y / weight.sum())

    def uncentred(x: Any, y: Any, weight: Any, ridge: float = 1.0) -> Any:
        gram = x.T @ (weight[:, None] * x) + ridge * np.eye(x.shape[1])
        return np.linalg.solve(gram, x.T @ (weight * y))

    def ridge_everywhere(x: Any, y: Any, weight: Any, ridge: float = 1.0) -> Any:
        share = weight / weight.sum()
        a, b = x - share @ x, y - share @ y
        found = np.linalg.solve(a.T @ (weight[:, None] * a) + ridge, a.T @ (weight * b))
        return found, float(share @ y - share @ x @ found)

    dice = np.random.default_rng(5)
    x = (dice.random((30, 4)) < 0.6).astype(float)
    y, weight = dice.normal(size=30), dice.random(30)
    expect_function(
        weighted_line,
        line,
        cases=[(x, y, weight), (x, y, weight, 0.1), (x[:12, :2], y[:12], weight[:12])],
        mistakes=[
            (
                penalised,
                "Your ridge also shrinks the intercept. Only the words' weights are penalised: "
                "subtract the weighted means first, and the intercept drops out.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, np.ones(len(y)), ridge),
                "Every text counts the same in yours: the weights are not used.",
            ),
            (
                plain_means,
                "You subtract plain means. Near texts count more in the means, too: share @ x and "
                "share @ y.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, weight, 0.0),
                "The ridge is missing: add ridge · identity to the matrix before you solve.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, weight, ridge, twice=True),
                "The weights come in twice: weight one of the two factors, not both.",
            ),
            (
                as_given,
                "Your intercept is the mean of y. Take off what the words explain of it: "
                "mean of y minus mean of x times the coefficients.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, weight),
                "Your ridge is always 1. Use the argument ridge.",
            ),
            (
                ridge_everywhere,
                "You add the ridge to every entry of the matrix. It stands on the diagonal only: "
                "ridge * np.eye(words).",
            ),
            (
                lambda x, y, weight, ridge=1.0: (uncentred(x, y, weight, ridge), 0.0),
                "Your line goes through zero: without an intercept the words must make up for it. "
                "Subtract the weighted means first.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, weight, ridge)[::-1],
                "The order is turned round: first the coefficients, then the intercept.",
            ),
            (
                lambda x, y, weight, ridge=1.0: line(x, y, weight, ridge)[0],
                "The intercept is missing: return coefficients, intercept.",
            ),
            (
                lambda x, y, weight, ridge=1.0: np.r_[line(x, y, weight, ridge)[::-1]],
                "You return one array. Give two things: the coefficients (words,), then the "
                "intercept.",
            ),
        ],
    )


_AGREEMENT = '''
def top_word_agreement(values):
    """Share of seeds (rows of values) whose heaviest word is the one that most name."""
    heaviest = np.abs(values).argmax(axis=1)
    return np.bincount(heaviest).max() / len(values)
'''


def _check_agreement(top_word_agreement: Any) -> None:
    import numpy as np

    def share(heaviest: Any) -> float:
        return float(np.bincount(heaviest).max() / len(heaviest))

    def of_mean(values: Any) -> float:
        return float((np.abs(values).argmax(axis=1) == np.abs(values.mean(axis=0)).argmax()).mean())

    # Most seeds (4 of 8) name word 0, their mean word 1 (3 of 8), the first seed word 2 (1 of 8).
    # Three words are named, and each column is largest in another row: 1/3 and 1/4 are no answer.
    close = np.array(
        [
            [0.1, 0.2, 0.5, 0.0],
            *[[0.3, -0.25, 0.0, 0.0]] * 4,
            [0.1, -0.9, 0.0, 0.1],
            [0.1, -0.8, 0.0, 0.2],
            [0.1, -0.7, 0.0, 0.1],
        ]
    )
    first = np.array([[0.5, -0.6, 0.1], [0.7, -0.6, 0.2], [0.6, -0.5, 0.3], [0.65, -0.1, 0.0]])
    torn = np.array([[0.2, -0.9, 0.1], [0.5, -0.4, 0.2], [0.45, -0.3, 0.3]])
    expect_function(
        top_word_agreement,
        lambda values: share(np.abs(values).argmax(axis=1)),
        cases=[(close,), (first,), (torn,), (np.array([[0.1, -0.2]]),)],
        mistakes=[
            (
                lambda values: share(values.argmax(axis=1)),
                "You look for the largest weight with its sign, so a word that speaks against "
                "never wins. Heaviest means the largest absolute value.",
            ),
            (
                of_mean,
                "You count the seeds that agree with the mean over seeds. Asked is the word that "
                "most seeds name.",
            ),
            (
                lambda values: float(
                    (np.abs(values).argmax(axis=1) == np.abs(values[0]).argmax()).mean()
                ),
                "You compare with the first seed. It may be the odd one out.",
            ),
            (
                lambda values: int(np.bincount(np.abs(values).argmax(axis=1)).max()),
                "That is a number of seeds. Divide by how many there are.",
            ),
            (
                lambda values: len(set(np.abs(values).argmax(axis=1).tolist())),
                "That is how many different words are named. Asked is the share of the commonest.",
            ),
            (
                lambda values: 100 * share(np.abs(values).argmax(axis=1)),
                "These are percent. Give a share between 0 and 1.",
            ),
            (
                lambda values: share(np.abs(values).argmax(axis=0)),
                "You ask of each word which seed gives it most. Ask of each seed, a row, which "
                "word is the heaviest: axis=1.",
            ),
            (
                lambda values: 1 / len(set(np.abs(values).argmax(axis=1).tolist())),
                "You divide 1 by the number of words named, as if each were named as often. Count "
                "the commonest.",
            ),
            (
                lambda values: np.bincount(np.abs(values).argmax(axis=1)).max() / values.shape[1],
                "You divide by the number of words. Divide by the number of seeds, len(values).",
            ),
            (
                lambda values: int(np.bincount(np.abs(values).argmax(axis=1)).argmax()),
                "That is which word most seeds name (its column). Asked is the share of the seeds "
                "that do.",
            ),
        ],
    )


_WITHOUT = '''
def without(pieces, hidden):
    """The text of the pieces, every occurrence of the hidden words deleted."""
    return "".join(piece for piece in pieces if piece not in hidden)
'''


def _check_without(without: Any) -> None:
    def once(pieces: Any, hidden: Any) -> str:
        left, kept = set(hidden), []
        for piece in pieces:
            if piece in left:
                left.discard(piece)
            else:
                kept.append(piece)
        return "".join(kept)

    def skipping(pieces: Any, hidden: Any) -> str:
        kept = list(pieces)
        for piece in kept:
            if piece in hidden:
                kept.remove(piece)
        return "".join(kept)

    def by_replace(pieces: Any, hidden: Any) -> str:
        text = "".join(pieces)
        for word in sorted(hidden):
            text = text.replace(word, "")
        return text

    expect_function(
        without,
        lambda pieces, hidden: "".join(p for p in pieces if p not in hidden),
        cases=[
            (["离", "地铁", "很近", "，", "离", "商场", "很", "远"], {"离", "很"}),
            (["good", ", ", "not", " ", "so", " ", "good", "."], {"good", "so"}),
            (["很", "好"], set()),
            (["很", "好"], {"很", "好"}),
            (["Good", ", ", "good", "!"], {"good"}),
        ],
        mistakes=[
            (
                once,
                "Only the first occurrence goes in yours. A bag of words deletes all of them.",
            ),
            (
                by_replace,
                "You delete inside the string, so 很 also leaves 很近 (very near). Delete whole "
                "pieces, and join what is left.",
            ),
            (
                lambda pieces, hidden: " ".join(p for p in pieces if p not in hidden),
                "You put spaces between the pieces. They carry their own, and Chinese has none.",
            ),
            (
                lambda pieces, hidden: "".join(p for p in pieces if p in hidden),
                "You keep the hidden words and delete the rest.",
            ),
            (
                lambda pieces, hidden: "".join("UNKWORDZ" if p in hidden else p for p in pieces),
                "That is what lime does with bow=False. Here the words are deleted.",
            ),
            (
                lambda pieces, hidden: [p for p in pieces if p not in hidden],
                "These are the pieces that are left: join them to a text.",
            ),
            (
                skipping,
                "You remove from the list that the loop goes through, so it steps over the next "
                "piece. Build a new list.",
            ),
            (
                lambda pieces, hidden: "".join(" " if p in hidden else p for p in pieces),
                "You put a space where a word was. Nothing comes in its place.",
            ),
            (
                lambda pieces, hidden: "".join(p for p in pieces if p.lower() not in hidden),
                "Good and good are two words here: compare the pieces as they stand.",
            ),
            (
                lambda pieces, hidden: "".join(p for p in pieces if p.strip() and p not in hidden),
                "You drop the spaces. They are pieces of the text like any other.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="11.1",
        title="How near is near",
        difficulty=2,
        importance=4,
        minutes=6,
        points=3,
        answer="nearness",
        setup="import numpy as np",
        stub='''
            def nearness(present, kernel_width=0.25):
                """How much each text counts: present (samples, words) is True for what is there."""
                ...
        ''',
        solution=_NEARNESS,
        check=_check_nearness,
        hints=[
            "Of each row: which share of the words is there? `present.mean(axis=1)`. Its square "
            "root is the cosine with the whole text.",
            "distance = 1 - cosine; then exp(-(distance²) / kernel_width²), and the square root of "
            "that.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(
                    _NEARNESS,
                    "np.sqrt(np.exp(-(distance**2) / kernel_width**2))",
                    "np.exp(-(distance**2) / kernel_width**2)",
                ),
                "The root over the exponential",
            ),
            WrongAnswer(
                changed(_NEARNESS, "np.sqrt(present.mean(axis=1))", "present.mean(axis=1)"),
                "share of hidden words",
            ),
            WrongAnswer(changed(_NEARNESS, "1 - np.sqrt(present", "np.sqrt(present"), "itself"),
            WrongAnswer(changed(_NEARNESS, "kernel_width**2", "kernel_width"), "is squared"),
            WrongAnswer(
                changed(
                    _NEARNESS,
                    "1 - np.sqrt(present.mean(axis=1))",
                    "100 * (1 - np.sqrt(present.mean(axis=1)))",
                ),
                "go to 100",
            ),
            WrongAnswer(
                changed(_NEARNESS, "present.mean(axis=1)", "1 - present.mean(axis=1)"),
                "True stands for what is there",
            ),
            WrongAnswer(changed(_NEARNESS, "kernel_width**2", "0.25**2"), "always 0.25"),
            WrongAnswer(
                changed(_NEARNESS, "(distance**2) / kernel_width**2", "distance / kernel_width"),
                "square over the distance",
            ),
            WrongAnswer(changed(_NEARNESS, "np.exp(-(", "np.exp(("), "minus in the exponent"),
            WrongAnswer(
                changed(
                    _NEARNESS,
                    "np.sqrt(np.exp(-(distance**2) / kernel_width**2))",
                    "distance",
                ),
                "That is the distance",
            ),
            WrongAnswer(
                "def nearness(present, kernel_width=0.25):\n"
                "    whole = np.ones(present.shape[1])\n"
                "    lengths = np.linalg.norm(present, axis=1) * np.linalg.norm(whole)\n"
                "    cosine = present @ whole / lengths\n"
                "    return np.sqrt(np.exp(-((1 - cosine) ** 2) / kernel_width**2))",
                "0 divided by 0",
            ),
            WrongAnswer(changed(_NEARNESS, "axis=1", "axis=0"), "for each word"),
        ],
        praise="lime's own kernel, with distances from 0 to 1 and a width of 0.25.",
        explanation="All words weigh the same in the cosine, so only their share matters.",
    ),
    Exercise(
        id="11.2",
        title="The weighted line",
        difficulty=3,
        importance=5,
        minutes=9,
        points=4,
        answer="weighted_line",
        setup="import numpy as np",
        stub='''
            def weighted_line(x, y, weight, ridge=1.0):
                """Coefficients (words,) and intercept of the line that fits y (samples,) best."""
                ...
        ''',
        solution=_LINE,
        check=_check_line,
        hints=[
            "Centre first: `share = weight / weight.sum()`, then subtract `share @ x` from x and "
            "`share @ y` from y. The intercept is gone, and cannot be shrunk.",
            "Solve (AᵀWA + ridge · I) β = AᵀWb with the centred A and b: "
            "`a.T @ (weight[:, None] * a)`. The intercept is mean of y - mean of x · β, both "
            "weighted.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def weighted_line(x, y, weight, ridge=1.0):\n"
                "    x = np.column_stack([x, np.ones(len(x))])\n"
                "    gram = x.T @ (weight[:, None] * x) + ridge * np.eye(x.shape[1])\n"
                "    found = np.linalg.solve(gram, x.T @ (weight * y))\n"
                "    return found[:-1], found[-1]",
                "also shrinks the intercept",
            ),
            WrongAnswer(
                changed(_LINE, "    share =", "    weight = np.ones(len(y))\n    share ="),
                "weights are not used",
            ),
            WrongAnswer(
                changed(_LINE, "weight / weight.sum()", "np.ones(len(y)) / len(y)"), "plain means"
            ),
            WrongAnswer(
                changed(_LINE, " + ridge * np.eye(x.shape[1])", ""), "The ridge is missing"
            ),
            WrongAnswer(
                changed(
                    changed(_LINE, "(weight[:, None] * a)", "(weight[:, None] ** 2 * a)"),
                    "(weight * b)",
                    "(weight**2 * b)",
                ),
                "come in twice",
            ),
            WrongAnswer(
                changed(_LINE, "share @ y - share @ x @ coefficients", "share @ y"),
                "Your intercept is the mean of y",
            ),
            WrongAnswer(
                changed(_LINE, "ridge * np.eye(x.shape[1])", "np.eye(x.shape[1])"), "always 1"
            ),
            WrongAnswer(
                changed(_LINE, "ridge * np.eye(x.shape[1])", "ridge"), "on the diagonal only"
            ),
            WrongAnswer(
                "def weighted_line(x, y, weight, ridge=1.0):\n"
                "    gram = x.T @ (weight[:, None] * x) + ridge * np.eye(x.shape[1])\n"
                "    return np.linalg.solve(gram, x.T @ (weight * y)), 0.0",
                "goes through zero",
            ),
            WrongAnswer(
                changed(
                    _LINE,
                    "coefficients, share @ y - share @ x @ coefficients",
                    "share @ y - share @ x @ coefficients, coefficients",
                ),
                "order is turned round",
            ),
            WrongAnswer(
                changed(_LINE, ", share @ y - share @ x @ coefficients", ""),
                "intercept is missing",
            ),
            WrongAnswer(
                changed(
                    _LINE,
                    "coefficients, share @ y - share @ x @ coefficients",
                    "np.r_[share @ y - share @ x @ coefficients, coefficients]",
                ),
                "one array",
            ),
        ],
        praise="Equal to scikit-learn's Ridge with sample weights, which lime calls.",
        explanation="Centring by the weighted means keeps the ridge away from the intercept.",
    ),
    Exercise(
        id="11.3",
        title="Do the seeds agree?",
        difficulty=2,
        importance=5,
        minutes=6,
        points=3,
        answer="top_word_agreement",
        setup="import numpy as np",
        stub='''
            def top_word_agreement(values):
                """Share of seeds (rows of values) whose heaviest word is the one that most name."""
                ...
        ''',
        solution=_AGREEMENT,
        check=_check_agreement,
        hints=[
            "For each seed: which word has the largest absolute weight? "
            "`np.abs(values).argmax(axis=1)`.",
            "`np.bincount(heaviest)` counts how often each word is named. The largest count, "
            "divided by the number of seeds.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_AGREEMENT, "np.abs(values).argmax", "values.argmax"), "with its sign"
            ),
            WrongAnswer(
                changed(
                    _AGREEMENT,
                    "np.bincount(heaviest).max() / len(values)",
                    "(heaviest == np.abs(values.mean(axis=0)).argmax()).mean()",
                ),
                "agree with the mean",
            ),
            WrongAnswer(
                changed(
                    _AGREEMENT,
                    "np.bincount(heaviest).max() / len(values)",
                    "(heaviest == heaviest[0]).mean()",
                ),
                "the first seed",
            ),
            WrongAnswer(changed(_AGREEMENT, " / len(values)", ""), "number of seeds"),
            WrongAnswer(
                changed(
                    _AGREEMENT,
                    "np.bincount(heaviest).max() / len(values)",
                    "100 * np.bincount(heaviest).max() / len(values)",
                ),
                "percent",
            ),
            WrongAnswer(
                changed(
                    _AGREEMENT,
                    "argmax(axis=1)\n    return np.bincount(heaviest).max() / len(values)",
                    "argmax(axis=0)\n    return np.bincount(heaviest).max() / len(heaviest)",
                ),
                "Ask of each seed",
            ),
            WrongAnswer(
                changed(
                    _AGREEMENT,
                    "np.bincount(heaviest).max() / len(values)",
                    "1 / len(set(heaviest.tolist()))",
                ),
                "as if each were named as often",
            ),
            WrongAnswer(changed(_AGREEMENT, "len(values)", "values.shape[1]"), "number of words"),
            WrongAnswer(
                changed(_AGREEMENT, ".max() / len(values)", ".argmax()"), "which word most seeds"
            ),
        ],
        praise="One number to put beside every explanation that was drawn at random.",
        explanation="Heaviest by absolute value, counted over seeds, the commonest as a share.",
    ),
    Exercise(
        id="11.4",
        title="Hide a word in a text without spaces",
        difficulty=1,
        importance=4,
        minutes=5,
        points=2,
        answer="without",
        stub='''
            def without(pieces, hidden):
                """The text of the pieces, every occurrence of the hidden words deleted."""
                ...
        ''',
        solution=_WITHOUT,
        check=_check_without,
        hints=[
            "Go through the pieces, keep those that are not hidden.",
            '`"".join(...)` puts them together with nothing between them.',
        ],
        wrong_answers=[
            WrongAnswer(
                "def without(pieces, hidden):\n"
                "    kept = list(pieces)\n"
                "    for word in hidden:\n"
                "        kept.remove(word)\n"
                "    return ''.join(kept)",
                "Only the first occurrence",
            ),
            WrongAnswer(
                "def without(pieces, hidden):\n"
                "    text = ''.join(pieces)\n"
                "    for word in hidden:\n"
                "        text = text.replace(word, '')\n"
                "    return text",
                "inside the string",
            ),
            WrongAnswer(changed(_WITHOUT, '"".join', '" ".join'), "spaces between the pieces"),
            WrongAnswer(
                "def without(pieces, hidden):\n"
                "    kept = list(pieces)\n"
                "    for piece in kept:\n"
                "        if piece in hidden:\n"
                "            kept.remove(piece)\n"
                "    return ''.join(kept)",
                "steps over the next",
            ),
            WrongAnswer(
                changed(
                    _WITHOUT,
                    "piece for piece in pieces if piece not in hidden",
                    '" " if piece in hidden else piece for piece in pieces',
                ),
                "Nothing comes in its place",
            ),
            WrongAnswer(changed(_WITHOUT, "if piece not", "if piece.lower() not"), "two words"),
            WrongAnswer(
                changed(_WITHOUT, "if piece not", "if piece.strip() and piece not"),
                "drop the spaces",
            ),
            WrongAnswer(
                changed(
                    _WITHOUT,
                    '"".join(piece for piece in pieces if piece not in hidden)',
                    "[piece for piece in pieces if piece not in hidden]",
                ),
                "join them to a text",
            ),
            WrongAnswer(changed(_WITHOUT, "not in hidden", "in hidden"), "delete the rest"),
            WrongAnswer(
                changed(
                    _WITHOUT,
                    "piece for piece in pieces if piece not in hidden",
                    '"UNKWORDZ" if piece in hidden else piece for piece in pieces',
                ),
                "bow=False",
            ),
        ],
        praise="This is all of lime's masking with bow=True.",
        explanation="A bag of words hides a word wherever it stands, as a whole piece.",
    ),
]

QUIZ = [
    Question(
        "A text has 8 words, and lime draws 5,000 samples. How many different texts does the "
        "classifier see?",
        options=[
            Option("5,000", "Most draws repeat an earlier one: 8 words have 2⁸ subsets."),
            Option(
                "256",
                "2⁸ subsets, and 5,000 draws meet them all. Ask each once and the rest is free.",
                right=True,
            ),
            Option("40,000", "8 · 5,000 would be a text for each word of each sample."),
            Option("8", "That would be leave-one-out: each text with one word hidden."),
        ],
    ),
    Question(
        "Two calls of `explain_instance` on one explainer give different weights. Which is the "
        "likeliest reason?",
        options=[
            Option(
                "The samples differ: the explainer's random numbers went on.",
                "A seed fixes the first call; the second goes on where it ended. Make a new "
                "explainer for each text, or ask all texts.",
                right=True,
            ),
            Option(
                "The classifier is not deterministic.",
                "In evaluation mode it is: the same text gets the same probability.",
            ),
            Option(
                "Ridge regression has several solutions.",
                "With a ridge above zero it has exactly one.",
            ),
        ],
    ),
    Question(
        "lime's default `split_expression` is `\\W+`. What are the units of 房间很大，服务不错？",
        options=[
            Option("房间, 很大, 服务, 不错", "What jieba makes of it, when you hand it over."),
            Option("Its eight characters.", "Chinese characters are letters: `\\W` skips them."),
            Option(
                "房间很大 and 服务不错",
                "Only the marks are no letters. A clause is one word, and the explanation repeats "
                "the review.",
                right=True,
            ),
            Option("None: lime raises an error.", "It would be better. It explains two clauses."),
        ],
    ),
    Question(
        "The local R² of an explanation is 0.4. What follows?",
        options=[
            Option(
                "The classifier is wrong on this text.",
                "R² compares the line with the classifier, not with the truth.",
            ),
            Option(
                "More samples will raise it.",
                "They make the weights steadier. What is not a line stays none.",
            ),
            Option(
                "A line does not describe the model around this text: words act together.",
                "Read the weights as averages over many contexts, and look at pairs, such as not "
                "and good, by hiding them together.",
                right=True,
            ),
        ],
    ),
    Question(
        "Which of these make an explanation by LIME repeatable or show how far it is not?",
        several=True,
        options=[
            Option(
                "A fixed seed, alone.",
                "It repeats one draw to the digit, and hides that another would have differed.",
            ),
            Option(
                "All 2ⁿ texts instead of draws, for a short review.",
                "Nothing is drawn, so nothing varies.",
                right=True,
            ),
            Option(
                "The standard error of each weight.",
                "One run then says how far another seed may lie.",
                right=True,
            ),
            Option(
                "A wider kernel.",
                "That asks another question; signs can change. It is no cure for noise.",
            ),
        ],
    ),
    Question(
        "In “the vibration is not top” the weight of “top” is below zero with a narrow kernel and "
        "above zero with a wide one. Which is right?",
        options=[
            Option(
                "The narrow one: it is nearer to the text.",
                "It is nearer, and answers only what happens near by. Say which you used.",
            ),
            Option(
                "Both: near by “not” is still there, far off it mostly is not.",
                "The width decides what the other words are while top comes and goes.",
                right=True,
            ),
            Option(
                "Neither: a sign must not depend on a setting, so LIME has a bug.",
                "It computes what it says. The question depends on the setting.",
            ),
        ],
    ),
]
