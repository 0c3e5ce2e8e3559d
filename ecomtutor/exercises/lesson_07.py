"""Exercises and quiz of lesson 07, fine-tuning."""

from __future__ import annotations

from typing import Any

from ecomtutor.exercises.checking import Wrong, beside, expect, expect_function
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed

_HONEST = '''
def honest_accuracy(right, texts, training_texts):
    """Accuracy on the texts that do not stand in training, not even as near-copies."""
    known = {same_text_key(text) for text in training_texts}
    unseen = [ok for ok, text in zip(right, texts, strict=True) if same_text_key(text) not in known]
    return sum(unseen) / len(unseen)
'''


def _check_honest_accuracy(honest_accuracy: Any) -> None:
    from ecomtutor.datasets.reviews import same_text_key

    def share(key: Any, seen: bool = False, of_all: bool = False) -> Any:
        def accuracy(right: Any, texts: Any, training: Any) -> float:
            known = {key(text) for text in training}
            kept = [
                ok for ok, text in zip(right, texts, strict=True) if (key(text) in known) == seen
            ]
            return sum(kept) / (len(right) if of_all else len(kept))

        return accuracy

    training = ["很好", "房间很干净", "Great sound", "电池太差"]
    texts = ["很好！", "房间很干净", "great sound.", "送货很慢", "书很有趣", "屏幕有划痕", "质量差"]
    right = [True, True, True, True, False, False, True]
    expect_function(
        honest_accuracy,
        share(same_text_key),
        cases=[
            (right, texts, training),
            ([False, True, True, True], ["好 书", "差书", "快！", "慢"], ["好书", "快"]),
        ],
        mistakes=[
            (
                share(str),
                "You compare the texts letter by letter. “很好！” is “很好” from training with a "
                "mark behind it: compare same_text_key of both.",
            ),
            (
                share(same_text_key, seen=True),
                "That is the accuracy on the texts that were seen. Asked is the other part.",
            ),
            (
                lambda right, texts, training: sum(right) / len(right),
                "That is the accuracy on all texts: those that stand in training must go first.",
            ),
            (
                share(same_text_key, of_all=True),
                "You divide by the number of all texts. Divide by the number of unseen ones.",
            ),
            (
                lambda right, texts, training: share(same_text_key)(
                    [not ok for ok in right], texts, training
                ),
                "That is the share of mistakes. Accuracy counts the right answers.",
            ),
            (
                lambda right, texts, training: sum(
                    ok
                    for ok, text in zip(right, texts, strict=True)
                    if same_text_key(text) not in set(map(same_text_key, training))
                ),
                "That is how many were right: divide by the number of unseen texts.",
            ),
        ],
    )


_STEP = '''
def training_step(model, optimizer, inputs, targets):
    """One step of training; returns the loss as a number."""
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(inputs), targets)
    loss.backward()
    optimizer.step()
    return loss.item()
'''


def _check_training_step(training_step: Any) -> None:
    import torch

    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.randn(6, 3, generator=generator), torch.tensor([0, 1, 0, 1, 1, 0])) for _ in range(3)
    ]
    events, losses, weights = beside(_watched, training_step, batches)
    _complain_about(events)
    if any(loss is None for loss in losses):
        raise Wrong("Your function returns nothing. End it with return loss.item().")
    expected = _reference_losses(batches)
    softened = _reference_losses(batches, twice=True)
    came = [float(loss) if not isinstance(loss, float) else loss for loss in losses]
    expect(
        came,
        expected[0],
        what="the losses of three steps",
        mistakes=[
            (
                softened[0],
                "Your loss takes the softmax twice: cross_entropy wants the logits as they are "
                "and takes the softmax itself.",
            ),
            (
                [6 * loss for loss in expected[0]],
                "The loss is summed over the batch. Leave cross_entropy's mean as it is.",
            ),
        ],
    )
    expect(weights, expected[1], what="the weights after three steps")


def _watched(training_step: Any, batches: Any) -> tuple[list[str], list[Any], Any]:
    """Run the reader's step, and write down the order in which things happen in the last one."""
    import torch

    events: list[str] = []

    class Watching(torch.optim.SGD):
        def zero_grad(self, set_to_none: bool = True) -> None:
            events.append("zero_grad")
            super().zero_grad(set_to_none)

        def step(self, closure: Any = None) -> Any:
            events.append("step")
            return super().step(closure)

    model = _small_model()
    optimizer = Watching(model.parameters(), lr=0.5)
    model.register_forward_hook(lambda *_: events.append("forward"))
    model.bias.register_hook(lambda _: events.append("backward"))
    losses = []
    for inputs, targets in batches:
        events.append("|")
        losses.append(training_step(model, optimizer, inputs, targets))
    return events, losses, model.weight.detach().clone()


def _complain_about(events: list[str]) -> None:
    """Name what is missing or stands in the wrong place, judged by the second of three steps."""
    second = " ".join(events).split("|")[2].split()
    if "forward" not in second:
        raise Wrong("The model is never called: the loss begins with model(inputs).")
    if "backward" not in second:
        raise Wrong("No gradient is computed: loss.backward() is missing.")
    if "step" not in second:
        raise Wrong("The weights never move: optimizer.step() is missing.")
    backward, step = second.index("backward"), second.index("step")
    if step < backward:
        raise Wrong(
            "You step before loss.backward(): the optimizer moves by the gradient of the batch "
            "before, and in the first step by none."
        )
    if "zero_grad" not in second:
        raise Wrong(
            "Gradients add up: in your second step the gradient of the first is still there. "
            "Which line of the optimizer forgets it?"
        )
    if "zero_grad" in second[backward:step]:
        raise Wrong(
            "You forget the gradient between backward and step: the optimizer finds nothing to "
            "follow, and the model never learns."
        )


def _small_model() -> Any:
    import torch

    model = torch.nn.Linear(3, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.1, -0.2, 0.3], [0.0, 0.4, -0.1]]))
        model.bias.zero_()
    return model


def _reference_losses(batches: Any, twice: bool = False) -> tuple[list[float], Any]:
    import torch

    model = _small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        outputs = model(inputs).softmax(-1) if twice else model(inputs)
        loss = torch.nn.functional.cross_entropy(outputs, targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model.weight.detach()


_SCORES = '''
def scores(hits, false_alarms, missed):
    """Precision, recall and F1 of the alarms; 0.0 where nothing can be divided."""
    precision = hits / (hits + false_alarms) if hits + false_alarms else 0.0
    recall = hits / (hits + missed) if hits + missed else 0.0
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0
'''


def _check_scores(scores: Any) -> None:
    def share(part: float, rest: float) -> float:
        return part / (part + rest) if part + rest else 0.0

    def harmonic(p: float, r: float) -> float:
        return 2 * p * r / (p + r) if p + r else 0.0

    def variant(f1: Any = harmonic, swap: bool = False) -> Any:
        def mistaken(hits: float, false_alarms: float, missed: float) -> Any:
            p, r = share(hits, false_alarms), share(hits, missed)
            return (r, p, f1(p, r)) if swap else (p, r, f1(p, r))

        return mistaken

    expect_function(
        scores,
        variant(),
        cases=[(30, 10, 20), (7, 1, 0), (0, 0, 4), (0, 3, 0), (0, 0, 0)],
        mistakes=[
            (
                variant(swap=True),
                "Precision and recall have changed places. Precision asks of the alarms, recall "
                "of the complaints.",
            ),
            (
                variant(f1=lambda p, r: (p + r) / 2),
                "Your F1 is the plain mean. F1 is the harmonic one, which the smaller number pulls "
                "down: 2·P·R / (P + R).",
            ),
            (
                variant(f1=lambda p, r: p * r / (p + r) if p + r else 0.0),
                "Your F1 is half of what it should be: a factor 2 is missing.",
            ),
            (
                lambda h, f, m: (h / (h + f + m), h / (h + f + m), h / (h + f + m)),
                "You divide by all three counts. Precision divides by the alarms alone, recall by "
                "the complaints alone.",
            ),
            (
                lambda h, f, m: tuple(100 * each for each in variant()(h, f, m)),
                "These are percentages: give shares between 0 and 1.",
            ),
        ],
    )


_ECE = '''
def expected_calibration_error(confidence, right, bins=10):
    """Mean gap between how sure and how right, over equal bins, weighted by texts."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = place == b
        if inside.any():
            gap = abs(confidence[inside].mean() - right[inside].mean())
            error += inside.mean() * gap
    return error
'''


def _check_ece(ece: Any) -> None:
    import numpy as np

    def gaps(confidence: Any, right: Any, bins: int) -> tuple[Any, Any]:
        place = np.minimum((confidence * bins).astype(int), bins - 1)
        full = [place == b for b in range(bins) if (place == b).any()]
        signed = np.array([confidence[i].mean() - right[i].mean() for i in full])
        return signed, np.array([i.mean() for i in full])

    def by(rule: Any) -> Any:
        return lambda confidence, right, bins=10: float(rule(*gaps(confidence, right, bins)))

    rng = np.random.default_rng(7)
    confidence = rng.uniform(0.5, 1.0, 200)
    right = (rng.random(200) < 0.25 + 0.6 * confidence).astype(float)
    confidence[0] = 1.0
    expect_function(
        ece,
        by(lambda gap, share: (share * abs(gap)).sum()),
        cases=[
            (confidence, right),
            (confidence, right, 5),
            (np.array([0.95, 0.95, 0.55, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])),
        ],
        mistakes=[
            (
                by(lambda gap, share: abs(gap).mean()),
                "Every bin counts the same in yours, a bin with one text as much as one with a "
                "hundred. Weight each gap by its share of the texts.",
            ),
            (
                by(lambda gap, share: abs((share * gap).sum())),
                "Your gaps have signs, and they cancel: too sure here, too modest there. Take each "
                "bin's absolute gap.",
            ),
            (
                by(lambda gap, share: (share * gap).sum()),
                "Your gaps have signs, and they cancel. Take each bin's absolute gap.",
            ),
            (
                by(lambda gap, share: abs(gap).max()),
                "That is the worst bin's gap. Asked is the mean over all texts.",
            ),
            (
                by(lambda gap, share: abs(gap).sum()),
                "You add the gaps up without their weights: multiply each by its share of texts.",
            ),
            (
                lambda confidence, right, bins=10: float(abs(confidence - right).mean()),
                "You compare each text's confidence with its own outcome, 0 or 1. Compare means of "
                "bins: nobody can be 80 % right on one text.",
            ),
        ],
    )


_CHEAPEST = '''
def cheapest(probability, is_complaint, thresholds, missed, false_alarm):
    """The first threshold whose mistakes cost least; an alarm is given from it on."""
    costs = []
    for threshold in thresholds:
        alarm = probability >= threshold
        cost = missed * (is_complaint & ~alarm).sum() + false_alarm * (~is_complaint & alarm).sum()
        costs.append(cost)
    return thresholds[int(np.argmin(costs))]
'''


def _check_cheapest(cheapest: Any) -> None:
    import numpy as np

    def chosen(swap: bool = False, upside_down: bool = False, strict: bool = False) -> Any:
        def choose(p: Any, truth: Any, thresholds: Any, missed: Any, false_alarm: Any) -> Any:
            if swap:
                missed, false_alarm = false_alarm, missed
            costs = _costs(p, truth, thresholds, missed, false_alarm, strict)
            return thresholds[int(np.argmax(costs) if upside_down else np.argmin(costs))]

        return choose

    rng = np.random.default_rng(3)
    truth = rng.random(300) < 0.5
    probability = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0.01, 0.99).round(2)
    thresholds = [round(0.05 * i, 2) for i in range(1, 20)]
    six = np.array([0.9, 0.6, 0.3, 0.4, 0.2, 0.1])
    whose = np.array([True, True, True, False, False, False])
    expect_function(
        cheapest,
        chosen(),
        cases=[
            (probability, truth, thresholds, 10, 1),
            (probability, truth, thresholds, 1, 5),
            (six, whose, [0.1, 0.3, 0.5, 0.6, 0.9], 10, 1),
        ],
        mistakes=[
            (
                chosen(swap=True),
                "The two costs have changed places: a missed complaint has no alarm, a false alarm "
                "has no complaint.",
            ),
            (chosen(upside_down=True), "That is the dearest threshold: you look for the smallest."),
            (
                lambda p, t, thresholds, missed, false_alarm: chosen()(p, t, thresholds, 1, 1),
                "Your threshold makes the fewest mistakes: the costs are not used. One kind of "
                "mistake is dearer than the other.",
            ),
            (
                chosen(strict=True),
                "An alarm is given from the threshold on: >= and not >.",
            ),
            (
                lambda p, t, thresholds, missed, false_alarm: float(
                    min(_costs(p, t, thresholds, missed, false_alarm))
                ),
                "That is the lowest cost. Asked is the threshold at which it is reached.",
            ),
            (
                lambda p, t, thresholds, missed, false_alarm: int(
                    np.argmin(_costs(p, t, thresholds, missed, false_alarm))
                ),
                "That is the place in the list. Asked is the threshold that stands there.",
            ),
        ],
    )


def _costs(
    p: Any, truth: Any, thresholds: Any, missed: Any, false_alarm: Any, strict: bool = False
) -> list[float]:
    alarms = [p > t if strict else p >= t for t in thresholds]
    return [missed * (truth & ~a).sum() + false_alarm * (~truth & a).sum() for a in alarms]


_CONFIDENT = '''
def confident_counts(answers, probabilities):
    """counts[i, j]: texts labelled i that the model confidently calls j."""
    classes = probabilities.shape[1]
    usual = [probabilities[answers == j, j].mean() for j in range(classes)]
    counts = np.zeros((classes, classes), dtype=int)
    for answer, row in zip(answers, probabilities, strict=True):
        sure = [j for j in range(classes) if row[j] >= usual[j]]
        if sure:
            counts[answer, max(sure, key=lambda j: row[j])] += 1
    return counts
'''


def _check_confident_counts(confident_counts: Any) -> None:
    import numpy as np

    def counted(usual: Any, several: bool = False) -> Any:
        def count(answers: Any, probabilities: Any) -> Any:
            classes = probabilities.shape[1]
            bars = usual(answers, probabilities)
            counts = np.zeros((classes, classes), dtype=int)
            for answer, row in zip(answers, probabilities, strict=True):
                sure = [j for j in range(classes) if row[j] >= bars[j]]
                for j in sure if several else sorted(sure, key=lambda j: -row[j])[:1]:
                    counts[answer, j] += 1
            return counts

        return count

    def own_mean(answers: Any, p: Any) -> Any:
        return [p[answers == j, j].mean() for j in range(p.shape[1])]

    right = counted(own_mean)
    rng = np.random.default_rng(5)
    answers = rng.integers(0, 3, 150)
    logits = rng.normal(size=(150, 3)) + np.array([1.2, 0.0, 0.0])
    logits[np.arange(150), answers] += 1.5
    three = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    sure = np.array([0.9, 0.8, 0.7, 0.2, 0.1, 0.85, 0.55, 0.4])
    two = np.stack([sure, 1 - sure], axis=1)
    # The first text reaches the bars of class 0 (0.5) and of class 1 (0.35).
    low = [[0.55, 0.4, 0.05], [0.45, 0.3, 0.25], [0.3, 0.35, 0.35], [0.4, 0.35, 0.25]]
    both = np.array([*low, [0.1, 0.1, 0.8], [0.2, 0.2, 0.6]])
    expect_function(
        confident_counts,
        right,
        cases=[
            (answers, three),
            (np.array([0, 0, 0, 0, 1, 1, 1, 1]), two),
            (np.array([0, 0, 1, 1, 2, 2]), both),
        ],
        mistakes=[
            (
                counted(lambda a, p: [0.0] * p.shape[1]),
                "You count every text under its likeliest class: that is a confusion matrix. "
                "Where the model is less sure than usual, the text is not counted.",
            ),
            (
                counted(lambda a, p: [0.5] * p.shape[1]),
                "One half is no bar that suits every class: take the mean probability of class j "
                "over the texts that carry label j.",
            ),
            (
                counted(lambda a, p: p.mean(axis=0)),
                "Your bar is the mean over all texts. Take it over the texts that carry label j.",
            ),
            (
                lambda a, p: right(a, p).T,
                "Rows and columns have changed places: the row is the given label.",
            ),
            (
                counted(own_mean, several=True),
                "Some texts are counted twice. Where two classes pass their bars, take the "
                "likelier one.",
            ),
            (
                lambda a, p: right(a, p) / len(a),
                "These are shares. Give the counts.",
            ),
        ],
    )


EXERCISES = [
    Exercise(
        id="07.1",
        title="Accuracy without memory",
        difficulty=2,
        importance=5,
        minutes=8,
        points=3,
        answer="honest_accuracy",
        setup="from ecomtutor.datasets.reviews import same_text_key",
        stub='''
            def honest_accuracy(right, texts, training_texts):
                """Accuracy on the texts that do not stand in training, not even as near-copies."""
                ...
        ''',
        solution=_HONEST,
        check=_check_honest_accuracy,
        hints=[
            "Make a set of same_text_key of all training texts. Which test texts have no key "
            "in it?",
            "`[ok for ok, text in zip(right, texts) if …]` keeps the outcomes of the unseen texts; "
            "True counts as 1 in sum().",
        ],
        wrong_answers=[
            WrongAnswer(
                "def honest_accuracy(right, texts, training_texts):\n"
                "    kept = [ok for ok, t in zip(right, texts) if t not in set(training_texts)]\n"
                "    return sum(kept) / len(kept)",
                "letter by letter",
            ),
            WrongAnswer(changed(_HONEST, "not in known", "in known"), "texts that were seen"),
            WrongAnswer(
                "def honest_accuracy(right, texts, training_texts):\n"
                "    return sum(right) / len(right)",
                "accuracy on all texts",
            ),
            WrongAnswer(changed(_HONEST, "/ len(unseen)", "/ len(texts)"), "number of all texts"),
            WrongAnswer(changed(_HONEST, " / len(unseen)", ""), "how many were right"),
        ],
        praise="Near-copies are memory too, and your number no longer contains them.",
        explanation="A text that was seen, up to spaces, case and marks, says nothing about new "
        "ones.",
    ),
    Exercise(
        id="07.2",
        title="One step of training",
        difficulty=2,
        importance=5,
        minutes=7,
        points=3,
        answer="training_step",
        setup="import torch",
        stub='''
            def training_step(model, optimizer, inputs, targets):
                """One step of training; returns the loss as a number."""
                ...
        ''',
        solution=_STEP,
        check=_check_training_step,
        seconds=30.0,  # the first optimizer of a session loads torch's compiler
        hints=[
            "Four things happen: forget the old gradient, compute the loss, compute its gradient, "
            "move the weights.",
            "`torch.nn.functional.cross_entropy(logits, targets)` wants logits, not probabilities. "
            "The other three are optimizer.zero_grad(), loss.backward(), optimizer.step(): in "
            "which order?",
        ],
        wrong_answers=[
            WrongAnswer(changed(_STEP, "    optimizer.zero_grad()\n", ""), "Gradients add up"),
            WrongAnswer(
                changed(
                    _STEP,
                    "    loss.backward()\n    optimizer.step()",
                    "    optimizer.step()\n    loss.backward()",
                ),
                "step before loss.backward",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    loss.backward()\n",
                    "    loss.backward()\n    optimizer.zero_grad()\n",
                ),
                "between backward and step",
            ),
            WrongAnswer(
                changed(_STEP, "    optimizer.step()\n", ""), "optimizer.step() is missing"
            ),
            WrongAnswer(changed(_STEP, "    loss.backward()\n", ""), "backward() is missing"),
            WrongAnswer(
                changed(_STEP, "model(inputs)", "model(inputs).softmax(-1)"), "softmax twice"
            ),
            WrongAnswer(changed(_STEP, "    return loss.item()\n", ""), "returns nothing"),
        ],
        praise="Forget, compute, differentiate, move: every fine-tuning is this step, repeated.",
        explanation="backward() adds to what is there, so the old gradient must go first.",
    ),
    Exercise(
        id="07.3",
        title="Precision, recall and F1 from counts",
        difficulty=1,
        importance=5,
        minutes=6,
        points=2,
        answer="scores",
        stub='''
            def scores(hits, false_alarms, missed):
                """Precision, recall and F1 of the alarms; 0.0 where nothing can be divided."""
                ...
        ''',
        solution=_SCORES,
        check=_check_scores,
        hints=[
            "Precision: of all alarms, which share was right? Recall: of all complaints, which "
            "share was found? Alarms are hits + false_alarms. And complaints?",
            "F1 = 2·P·R / (P + R). A day without any alarm must give 0.0 and no error: "
            "`a / b if b else 0.0`.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(_SCORES, "return precision, recall,", "return recall, precision,"),
                "changed places",
            ),
            WrongAnswer(
                changed(
                    _SCORES,
                    "2 * precision * recall / both if both else 0.0",
                    "(precision + recall) / 2",
                ),
                "plain mean",
            ),
            WrongAnswer(
                changed(_SCORES, "2 * precision * recall", "precision * recall"), "factor 2"
            ),
            WrongAnswer(
                "def scores(hits, false_alarms, missed):\n"
                "    share = hits / (hits + false_alarms + missed)\n"
                "    return share, share, share",
                "all three counts",
            ),
            WrongAnswer(
                changed(_SCORES, " if hits + false_alarms else 0.0", ""), "ZeroDivisionError"
            ),
            WrongAnswer(
                changed(
                    changed(_SCORES, "precision = hits /", "precision = 100 * hits /"),
                    "recall = hits /",
                    "recall = 100 * hits /",
                ),
                "percentages",
            ),
        ],
        praise="Also on a day without alarms.",
        explanation="Precision divides the hits by the alarms, recall by the complaints.",
    ),
    Exercise(
        id="07.4",
        title="Calibration error by hand",
        difficulty=3,
        importance=4,
        minutes=9,
        points=4,
        answer="expected_calibration_error",
        setup="import numpy as np",
        stub='''
            def expected_calibration_error(confidence, right, bins=10):
                """Mean gap between how sure and how right, over equal bins, weighted by texts."""
                ...
        ''',
        solution=_ECE,
        check=_check_ece,
        hints=[
            "Text by text: which bin? `(confidence * bins).astype(int)`; a confidence of exactly 1 "
            "belongs into the last one, bins - 1.",
            "For each bin that has texts: the gap is |mean confidence - mean of right|; it counts "
            "with the share of all texts that lie in the bin.",
        ],
        wrong_answers=[
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    place = np.minimum((confidence * bins).astype(int), bins - 1)\n"
                "    full = [place == b for b in range(bins) if (place == b).any()]\n"
                "    return np.mean([abs(confidence[i].mean() - right[i].mean()) for i in full])",
                "Weight each gap",
            ),
            WrongAnswer(changed(_ECE, "abs(", "("), "they cancel"),
            WrongAnswer(
                changed(_ECE, "error += inside.mean() * gap", "error = max(error, gap)"),
                "worst bin",
            ),
            WrongAnswer(changed(_ECE, "inside.mean() * gap", "gap"), "without their weights"),
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    return abs(confidence - right).mean()",
                "its own outcome",
            ),
        ],
        praise="Equal to metrics.calibration_error, which takes it from probabilities.",
        explanation="Each bin's gap counts as much as it has texts.",
    ),
    Exercise(
        id="07.5",
        title="The cheapest threshold",
        difficulty=2,
        importance=5,
        minutes=7,
        points=3,
        answer="cheapest",
        setup="import numpy as np",
        stub='''
            def cheapest(probability, is_complaint, thresholds, missed, false_alarm):
                """The first threshold whose mistakes cost least; an alarm is given from it on."""
                ...
        ''',
        solution=_CHEAPEST,
        check=_check_cheapest,
        hints=[
            "For one threshold: alarm = probability >= threshold. How many complaints have no "
            "alarm, how many alarms no complaint?",
            "`(is_complaint & ~alarm).sum()` counts the missed ones. Collect one cost for each "
            "threshold; `np.argmin` gives the place of the smallest.",
        ],
        wrong_answers=[
            WrongAnswer(
                changed(
                    changed(_CHEAPEST, "cost = missed *", "cost = false_alarm *"),
                    "+ false_alarm *",
                    "+ missed *",
                ),
                "The two costs have changed places",
            ),
            WrongAnswer(changed(_CHEAPEST, "np.argmin", "np.argmax"), "dearest"),
            WrongAnswer(
                changed(
                    changed(_CHEAPEST, "missed * (", "("),
                    "false_alarm * (~is_complaint",
                    "(~is_complaint",
                ),
                "fewest mistakes",
            ),
            WrongAnswer(changed(_CHEAPEST, ">= threshold", "> threshold"), ">= and not >"),
            WrongAnswer(
                changed(_CHEAPEST, "thresholds[int(np.argmin(costs))]", "float(min(costs))"),
                "lowest cost",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "thresholds[int(np.argmin(costs))]", "int(np.argmin(costs))"),
                "place in the list",
            ),
        ],
        praise="The threshold follows from what mistakes cost, not from habit.",
        explanation="Count both kinds of mistakes at each threshold, price them, take the minimum.",
    ),
    Exercise(
        id="07.6",
        title="Count the doubtful labels",
        difficulty=3,
        importance=4,
        minutes=8,
        points=4,
        answer="confident_counts",
        setup="import numpy as np",
        stub='''
            def confident_counts(answers, probabilities):
                """counts[i, j]: texts labelled i that the model confidently calls j."""
                ...
        ''',
        solution=_CONFIDENT,
        check=_check_confident_counts,
        hints=[
            "First the bars, one for each class: `probabilities[answers == j, j].mean()` is how "
            "sure the model usually is of class j, on texts labelled j.",
            "Then for each text: which classes reach their bar? None: do not count it. Several: "
            "take the likeliest. Add 1 at row = given label, column = that class.",
        ],
        wrong_answers=[
            WrongAnswer(changed(_CONFIDENT, "row[j] >= usual[j]", "True"), "confusion matrix"),
            WrongAnswer(changed(_CONFIDENT, "row[j] >= usual[j]", "row[j] >= 0.5"), "One half"),
            WrongAnswer(
                changed(_CONFIDENT, "probabilities[answers == j, j]", "probabilities[:, j]"),
                "mean over all texts",
            ),
            WrongAnswer(changed(_CONFIDENT, "return counts", "return counts.T"), "given label"),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "        if sure:\n"
                    "            counts[answer, max(sure, key=lambda j: row[j])] += 1",
                    "        for j in sure:\n            counts[answer, j] += 1",
                ),
                "counted twice",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "return counts", "return counts / len(answers)"), "shares"
            ),
        ],
        praise="The cells off the diagonal are where somebody should read the label again.",
        explanation="Each class has its own bar, because a model is not equally sure of all.",
    ),
]

QUIZ = [
    Question(
        "A notebook reports 96 % on a random fifth of the lines of a file in which most texts "
        "stand twice. What do you know about the model?",
        options=[
            Option(
                "It will be right on 96 % of tomorrow's reviews.",
                "Tomorrow's reviews do not stand in the training part; most of these did.",
            ),
            Option(
                "How well it remembers, mixed with how well it reads.",
                "Most test lines have a twin in training. Split by text and measure again.",
                right=True,
            ),
            Option(
                "That it overfits and is worthless.",
                "It may read well, too. The number does not say: that is what is wrong with it.",
            ),
        ],
    ),
    Question(
        "`loss.backward()` is called for three batches and `optimizer.zero_grad()` never. What "
        "does the third `optimizer.step()` follow?",
        options=[
            Option(
                "The sum of the gradients of all three batches.",
                "backward() adds to `.grad`. The first batch pushes three times.",
                right=True,
            ),
            Option(
                "The gradient of the third batch.",
                "It would if backward() replaced the old gradient. It adds to it.",
            ),
            Option(
                "The mean of the three gradients.",
                "Nobody divides. It is the sum, so the steps grow as well.",
            ),
        ],
    ),
    Question(
        "LoRA leaves a 512 × 512 matrix as it is and trains two thin ones of rank 16 beside it. "
        "How many numbers does it train there?",
        options=[
            Option("262,144", "That is the matrix itself, 512 · 512: it stays."),
            Option("256", "16 · 16 would be rank times rank; each thin matrix has one long side."),
            Option("8,192", "That is one of the two matrices, 16 · 512."),
            Option("16,384", "2 · 16 · 512: a sixteenth of the full matrix.", right=True),
        ],
    ),
    Question(
        "5 of 100 reviews are complaints. A model that never gives an alarm has …",
        options=[
            Option(
                "accuracy 0.95 and recall 0.",
                "Right on the 95 others, and it finds none. Accuracy hides what matters here.",
                right=True,
            ),
            Option("accuracy 0.05 and recall 0.", "It is wrong on the 5, so right on 95."),
            Option(
                "accuracy 0.95 and recall 0.95.", "Recall asks of the 5 complaints: none found."
            ),
        ],
    ),
    Question(
        "Complaints become ten times rarer, the model stays. Which of these hardly change?",
        several=True,
        options=[
            Option(
                "the ROC curve",
                "Both of its axes ask within one class: how many classes' members there are does "
                "not matter.",
                right=True,
            ),
            Option("the precision", "The same share of harmless reviews now drowns fewer hits."),
            Option("the recall", "Recall asks of the complaints only.", right=True),
            Option(
                "the PR curve", "One of its axes is precision, and that falls with the complaints."
            ),
        ],
    ),
    Question(
        "A temperature of 2 is applied to the logits of a classifier with two labels. What changes "
        "at threshold one half?",
        options=[
            Option(
                "The accuracy rises.",
                "Every probability moves towards one half, but none crosses it.",
            ),
            Option(
                "The probabilities; no decision.",
                "The order stays, and one half stays one half. Decisions at other thresholds may "
                "change.",
                right=True,
            ),
            Option("Nothing.", "The probabilities move towards one half: that is what it is for."),
        ],
    ),
    Question(
        "A missed complaint costs 9, a false alarm 1, and the probabilities are calibrated. From "
        "which probability on do you give an alarm?",
        options=[
            Option("0.9", "At 0.9 you would miss those with 0.8, at a cost of 9 each."),
            Option("0.5", "That is right only where both mistakes cost the same."),
            Option(
                "0.1",
                "An alarm costs (1 - p) · 1 on average, no alarm p · 9. They meet at 1 / (1 + 9).",
                right=True,
            ),
            Option("0.11", "1 / 9 forgets the false alarm itself: the rule is 1 / (1 + 9)."),
        ],
    ),
    Question(
        "On the test set a model was 90 % right. In service it is 80 % right, although the "
        "customers write as they always did. Where do you look first?",
        options=[
            Option(
                "More epochs.",
                "The weights are the ones that reached 90 %. Look at what reaches them.",
            ),
            Option("A larger model.", "It would read the same spoilt input."),
            Option(
                "At what the model is really fed: the text after cleaning, and its tokens.",
                "Train/serve skew: another tokenizer, case, width or script on the way. Count the "
                "unknown tokens on both sides.",
                right=True,
            ),
        ],
    ),
]
