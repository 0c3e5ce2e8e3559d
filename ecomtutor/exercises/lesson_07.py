"""Exercises and quiz of lesson 07, fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecomtutor.exercises.checking import Wrong, beside, describe, expect, expect_function
from ecomtutor.exercises.comparing import first_difference, is_array, is_table, is_tensor
from ecomtutor.exercises.registry import Exercise, Option, Question, WrongAnswer, changed


def _led(function: Any, shaped: Callable[[Any], Any]) -> Any:
    """The reader's function, its result brought by `shaped` to the shape that is compared.

    What is no function stays as it is.
    """
    if not callable(function):
        return function

    def led(*args: Any) -> Any:
        came = function(*args)
        return None if came is None else shaped(came)

    name = getattr(function, "__name__", None)
    led.__name__ = name if type(name) is str else "your function"
    return led


_HONEST = '''
def honest_accuracy(right, texts, training_texts):
    """Accuracy on the texts that do not stand in training, not even as near-copies."""
    known = {same_text_key(text) for text in training_texts}
    unseen = [ok for ok, text in zip(right, texts, strict=True) if same_text_key(text) not in known]
    return sum(unseen) / len(unseen)
'''


def _check_honest_accuracy(honest_accuracy: Any) -> None:
    from ecomtutor.datasets.reviews import same_text_key

    # Very good, a very clean room, a battery that is too bad. New are: slow delivery, an amusing
    # book, a scratched screen, bad quality, well packed.
    training = ["很好", "房间很干净", "Great sound", "电池太差"]
    seen = ["很好！", "房间很干净", "great sound.", "电池太差"]
    texts = [*seen, "送货很慢", "书很有趣", "屏幕有划痕", "质量差", "包装很好"]
    # Of these outcomes each likely mistake makes another number.
    right = [False, False, True, False, False, True, True, True, False]
    honest = _share(same_text_key)
    expect_function(
        honest_accuracy,
        honest,
        cases=[
            (right, texts, training),
            ([False, True, True, True], ["好 书", "差书", "快！", "慢"], ["好书", "快"]),
            # The same unseen text was judged right once and wrong once.
            ([True, False, False, True, True], ["慢", "慢", "快！", "新书", "好看"], ["快"]),
            # 快 (fast) stands inside 快递慢 (the courier is slow), 干净 (clean) in the other.
            ([False, True, False, True], ["快！", "快递慢", "干净", "旧"], ["快", "房间很干净"]),
        ],
        mistakes=[
            (
                _share(str),
                "You compare the texts letter by letter. “很好！” (very good!) is “很好” from "
                "training with a mark behind it: compare same_text_key of both.",
            ),
            (
                _share(same_text_key, of_training=str),
                "You take the key of the test texts only. “Great sound” stands in training in "
                "another case: take same_text_key of the training texts, too.",
            ),
            (
                _share(same_text_key, seen=True),
                "That is the accuracy on the texts that were seen. Asked is the other part.",
            ),
            (
                lambda right, texts, training: sum(right) / len(right),
                "That is the accuracy on all texts: those that stand in training must go first.",
            ),
            (
                _share_of_all(lambda ok, known: not known),
                "That is the share of the texts that are new. Asked is how often the model was "
                "right on them.",
            ),
            (
                _share_of_all(lambda ok, known: ok or known),
                "A text that was seen counts as right in yours. It belongs in neither number of "
                "the fraction.",
            ),
            (
                _share(same_text_key, of_all=True),
                "You divide by the number of all texts. Divide by the number of unseen ones.",
            ),
            (
                lambda right, texts, training: 1 - honest(right, texts, training),
                "That is the share of mistakes. Accuracy counts the right answers.",
            ),
            (
                lambda right, texts, training: 100 * honest(right, texts, training),
                "That is a percentage. Give a share between 0 and 1.",
            ),
            (
                _share(same_text_key, of_all=None),
                "That is how many were right: divide by the number of unseen texts.",
            ),
            *((each, _ONCE) for each in (_share_of_keys(False), _share_of_keys(True))),
            *((each, _INSIDE) for each in (_share_outside(False), _share_outside(True))),
        ],
    )


_ONCE = (
    "An unseen text that stands twice counts once in yours. Keep every test text, and only ask "
    "whether its key stands in training."
)
_INSIDE = (
    "You ask whether one text stands inside another. 快 (fast) stands in 快递慢 (the courier is "
    "slow), which says the opposite: a text was seen where the whole keys are equal."
)


def _share(
    key: Any, seen: bool = False, of_all: bool | None = False, of_training: Any = None
) -> Any:
    """Accuracy on the unseen texts and ways to miss it; of_all: None does not divide."""

    def accuracy(right: Any, texts: Any, training: Any) -> float:
        known = {(of_training or key)(text) for text in training}
        kept = [ok for ok, text in zip(right, texts, strict=True) if (key(text) in known) == seen]
        return sum(kept) / {None: 1, True: len(right), False: len(kept)}[of_all]

    return accuracy


def _share_of_keys(first: bool) -> Any:
    """Accuracy where equal unseen texts are one: judged by the first of them, or by the last."""
    from ecomtutor.datasets.reviews import same_text_key

    def accuracy(right: Any, texts: Any, training: Any) -> float:
        known = {same_text_key(text) for text in training}
        pairs = [(same_text_key(text), ok) for ok, text in zip(right, texts, strict=True)]
        kept = dict(pair for pair in (pairs[::-1] if first else pairs) if pair[0] not in known)
        return sum(kept.values()) / len(kept)

    return accuracy


def _share_of_all(counted: Callable[[bool, bool], bool]) -> Any:
    """Of all texts the share that is counted, by its outcome and by whether it was seen."""
    from ecomtutor.datasets.reviews import same_text_key

    def accuracy(right: Any, texts: Any, training: Any) -> float:
        known = {same_text_key(text) for text in training}
        pairs = zip(right, texts, strict=True)
        return sum(counted(ok, same_text_key(text) in known) for ok, text in pairs) / len(texts)

    return accuracy


def _share_outside(turned: bool) -> Any:
    """Accuracy where a text counts as seen that holds one of training; turned: that one holds."""
    from ecomtutor.datasets.reviews import same_text_key

    def accuracy(right: Any, texts: Any, training: Any) -> float:
        known = [same_text_key(text) for text in training]
        pairs = [(ok, same_text_key(text)) for ok, text in zip(right, texts, strict=True)]
        kept = [
            ok
            for ok, key in pairs
            if not any((key in each) if turned else (each in key) for each in known)
        ]
        return sum(kept) / len(kept)

    return accuracy


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
    batches = _batches()
    events, losses, weights = beside(_watched, training_step, batches)
    _demand_numbers(losses)
    right_losses, right_weights = _rehearsed(_step(), batches)
    second = " ".join(events).split("|")[2].split()  # what happened in the second of three steps
    _complain_about_mode(second)
    if "step" not in second or first_difference(weights, right_weights) is not None:
        _name_the_mistake(losses, weights, batches)
        _complain_about(second, moved=first_difference(weights, _small_model().weight) is not None)
    elif first_difference(losses, right_losses) is not None:
        _name_the_mistake(losses, weights, batches)
    expect(losses, right_losses, what="the list of the losses of three steps")
    expect(weights, right_weights, what="the model's weight after three steps")


def _batches() -> list[tuple[Any, Any]]:
    """Three batches of six texts and three labels; the gradient of the second is a long one."""
    import torch

    generator = torch.Generator().manual_seed(0)
    targets = torch.tensor([0, 1, 2, 1, 2, 0])
    sizes = (1.0, 8.0, 1.0)
    return [(size * torch.randn(6, 3, generator=generator), targets) for size in sizes]


def _demand_numbers(losses: list[Any]) -> None:
    loss = losses[0]
    if any(each is None for each in losses):
        raise Wrong("Your function returns nothing. End it with return loss.item().")
    if is_tensor(loss) or is_array(loss):
        kind = "a tensor" if is_tensor(loss) else "an array"
        raise Wrong(f"You return {kind}: end with return loss.item(), which is a plain number.")
    if isinstance(loss, str):
        raise Wrong("You return text: end with return loss.item(), which is a plain number.")


def _watched(training_step: Any, batches: Any) -> tuple[list[str], list[Any], Any]:
    """Run the reader's step on each batch, and write down the order in which things happen."""
    import torch

    events: list[str] = []

    class Watching(torch.optim.SGD):
        def zero_grad(self, set_to_none: bool = True) -> None:
            events.append("zero_grad")
            super().zero_grad(set_to_none)

        def step(self, closure: Any = None) -> Any:
            loss = super().step(closure)  # a closure computes the gradient here
            events.append("step")
            return loss

    model = _small_model()
    optimizer = Watching(model.parameters(), lr=0.5)
    model.register_forward_hook(
        lambda module, *_: events.append("forward" if module.training else "silenced")
    )
    model.bias.register_hook(lambda _: events.append("backward"))
    losses = []
    for inputs, targets in batches:
        events.append("|")
        losses.append(training_step(model, optimizer, inputs, targets))
    return events, losses, model.weight.detach().clone()


def _complain_about_mode(second: list[str]) -> None:
    called = [each for each in second if each in ("forward", "silenced")]
    if called[:1] == ["silenced"]:
        raise Wrong(
            "You train with the model in evaluation mode: model.eval() switches dropout off. Leave "
            "the mode to the caller, or call model.train()."
        )


def _complain_about(second: list[str], moved: bool) -> None:
    """Name what is missing or stands in the wrong place in a step that ends at wrong weights."""
    if "step" not in second and moved:
        raise Wrong(
            "The weights move, but the optimizer that you were given never steps. Call its "
            "step(); one of your own forgets what it knows of earlier steps."
        )
    if not {"forward", "silenced"} & set(second):
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
    _complain_about_counts(second)
    if "zero_grad" in second[backward:step]:
        raise Wrong(
            "You forget the gradient between backward and step: the optimizer finds nothing to "
            "follow, and the model never learns."
        )


def _complain_about_counts(second: list[str]) -> None:
    """A step is one gradient and one move: name what happens more often."""
    steps, gradients = second.count("step"), second.count("backward")
    if steps > 1 and gradients > 1:
        raise Wrong(
            f"One call makes {steps} steps in yours, each with a gradient of its own. One call is "
            "one step, along the gradient of the whole batch: leave the loop to the caller."
        )
    if steps > 1:
        raise Wrong(
            f"You call optimizer.step() {steps} times in one call. Each moves the weights by the "
            "same gradient again, and it was computed at the old place: step once for one backward."
        )
    if gradients > 1:
        raise Wrong(
            f"You call backward {gradients} times before the step. It adds, so the optimizer "
            "follows the sum: one backward of the mean loss."
        )


def _name_the_mistake(losses: Any, weights: Any, batches: Any) -> None:
    """Say which likely mistake gives these losses and these weights, if one does."""
    for step, message in _mistaken_steps():
        if first_difference([losses, weights], list(_rehearsed(step, batches))) is None:
            raise Wrong(message)


def _mistaken_steps() -> list[tuple[Any, str]]:
    from torch.nn.functional import (
        binary_cross_entropy_with_logits,
        cross_entropy,
        mse_loss,
        nll_loss,
        one_hot,
    )

    def of_two_labels(z: Any, y: Any) -> Any:
        return binary_cross_entropy_with_logits(z[:, 1] - z[:, 0], y.float())

    def squared(z: Any, y: Any) -> Any:
        return mse_loss(z, one_hot(y, z.shape[1]).float())

    no_logarithm = (
        "nll_loss expects the logarithms of probabilities and does not check. Use cross_entropy, "
        "which takes the logits."
    )
    return [
        (
            _step(forget=False),
            "Gradients add up: in your second step the gradient of the first is still there. "
            "Which line of the optimizer forgets it?",
        ),
        (
            _step(lambda z, y: cross_entropy(z.softmax(-1), y)),
            "Your loss takes the softmax twice: cross_entropy wants the logits as they are "
            "and takes the softmax itself.",
        ),
        (
            _step(lambda z, y: cross_entropy(z, y, reduction="sum")),
            "The loss is summed over the batch. Leave cross_entropy's mean as it is.",
        ),
        (
            _step(late=True),
            "You compute the loss once more after the step. Return the loss that backward saw.",
        ),
        (
            _step(clip=1.0),
            "You clip the gradient. A serious run may; here the step follows it as it is.",
        ),
        (
            _step(of_two_labels),
            "Your loss looks at two labels. A model may have more: cross_entropy takes all.",
        ),
        (_step(nll_loss), no_logarithm),
        (_step(lambda z, y: nll_loss(z.softmax(-1), y)), no_logarithm),
        (
            _step(lambda z, y: cross_entropy(z.sigmoid(), y)),
            "Your loss squeezes the logits with a sigmoid first: cross_entropy wants them as they "
            "are.",
        ),
        (
            _step(squared),
            "Your loss is the squared distance from the labels. A classifier's loss is the "
            "cross-entropy, -ln of the probability of the right label.",
        ),
        (
            _step(lambda z, y: -cross_entropy(z, y)),
            "Your loss has its sign turned round, so each step makes the model worse. The minus is "
            "inside cross_entropy.",
        ),
        (
            _step(shown=lambda loss, y: loss / len(y)),
            "You divide the loss by the number of texts. cross_entropy is the mean already.",
        ),
        (
            _step(shown=lambda loss, y: loss * len(y)),
            "You return the sum over the batch. Return the loss as backward saw it: the mean.",
        ),
    ]


def _step(
    loss_of: Any = None,
    *,
    forget: bool = True,
    clip: float | None = None,
    late: bool = False,
    shown: Any = None,
) -> Any:
    """The right step, or one with a mistake.

    loss_of takes logits (texts, labels) and targets, shown the loss and the targets.
    """
    import torch

    loss_of = loss_of or torch.nn.functional.cross_entropy

    def step(model: Any, optimizer: Any, inputs: Any, targets: Any) -> float:
        if forget:
            optimizer.zero_grad()
        loss = loss_of(model(inputs), targets)
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        said = float((loss_of(model(inputs), targets) if late else loss).item())
        return shown(said, targets) if shown else said

    return step


def _rehearsed(step: Any, batches: Any) -> tuple[list[float], Any]:
    """Losses, and the weight at the end, of a step of ours."""
    import torch

    model = _small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = [step(model, optimizer, inputs, targets) for inputs, targets in batches]
    return losses, model.weight.detach()


def _small_model() -> Any:
    import torch

    model = torch.nn.Linear(3, 3)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[0.1, -0.2, 0.3], [0.0, 0.4, -0.1], [0.2, 0.1, 0.0]]))
        model.bias.zero_()
    return model


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

    def ratio(part: float, rest: float) -> float:
        return part / rest if rest else 0.0

    def where_empty(value: float) -> Any:
        def mistaken(hits: float, false_alarms: float, missed: float) -> Any:
            p = hits / (hits + false_alarms) if hits + false_alarms else value
            r = hits / (hits + missed) if hits + missed else value
            return p, r, 2 * p * r / (p + r) if p + r else value

        return mistaken

    def in_another_order(*places: int) -> Any:
        return lambda *counts: tuple(variant()(*counts)[place] for place in places)

    def divided(of_alarms: Any, of_complaints: Any) -> Any:
        def mistaken(hits: float, false_alarms: float, missed: float) -> Any:
            p, r = of_alarms(hits, false_alarms), of_complaints(hits, missed)
            return p, r, harmonic(p, r)

        return mistaken

    expect_function(
        _led(scores, _as_three),
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
                variant(f1=lambda p, r: (p * r) ** 0.5),
                "Your F1 is the geometric mean, the root of P·R. F1 is the harmonic one, which is "
                "lower still: 2·P·R / (P + R).",
            ),
            *(
                (in_another_order(*places), "The order is precision, recall, F1.")
                for places in ((2, 0, 1), (0, 2, 1), (2, 1, 0))
            ),
            *(
                (
                    where_empty(value),
                    f"Where nothing can be divided yours says {value:.3g}. Without alarms nothing "
                    "was found, and without complaints nothing either: 0.0.",
                )
                for value in (1.0, float("nan"))
            ),
            (
                lambda *counts: tuple(round(each, 2) for each in variant()(*counts)),
                "You round. Return the numbers as they are; whoever prints them may round.",
            ),
            (
                lambda h, f, m: (h / (h + f + m), h / (h + f + m), h / (h + f + m)),
                "You divide by all three counts. Precision divides by the alarms alone, recall by "
                "the complaints alone.",
            ),
            *(
                (
                    divided(*each),
                    "You divide the hits by the mistakes alone. All alarms are hits + "
                    "false_alarms, all complaints are hits + missed.",
                )
                for each in ((ratio, ratio), (share, ratio), (ratio, share))
            ),
            (
                lambda h, f, m: tuple(100 * each for each in variant()(h, f, m)),
                "These are percentages: give shares between 0 and 1.",
            ),
        ],
    )


def _as_three(came: Any) -> Any:
    """Three numbers in a tuple, whether they came in a list, an array or a tensor."""
    if is_array(came) or is_tensor(came):
        came = came.tolist()
    if type(came) not in (tuple, list):
        raise Wrong(f"your answer is {describe(came)}. Return a tuple: precision, recall, F1.")
    return tuple(came)


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

    rng = np.random.default_rng(8)
    confidence = rng.uniform(0.5, 1.0, 200)
    right = (rng.random(200) < 0.25 + 0.6 * confidence).astype(float)
    confidence[0] = 1.0
    # Two texts of 1.0 that are wrong; the others in their bin are more often right than sure.
    ends = np.array([0.6, 0.62, 0.8, 0.55, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    expect_function(
        ece,
        _binned(lambda gap, share: (share * abs(gap)).sum()),
        cases=[
            (confidence, right),
            (confidence, right, 5),
            (np.array([0.95, 0.95, 0.55, 1.0]), np.array([1.0, 0.0, 1.0, 1.0])),
            (*ends, 2),
        ],
        mistakes=_mistaken_errors(),
    )


def _binned(rule: Any, place: Any = None, centred: bool = False) -> Any:
    """An error by a rule that takes the signed gap of each full bin and its share of texts."""
    import numpy as np

    def last_holds_one(c: Any, bins: int) -> Any:
        return np.minimum((c * bins).astype(int), bins - 1)

    def error(confidence: Any, right: Any, bins: int = 10) -> float:
        where = (place or last_holds_one)(confidence, bins)
        full = [(b, where == b) for b in np.unique(where) if b >= 0]
        sure = [(b + 0.5) / bins if centred else confidence[i].mean() for b, i in full]
        gaps = np.array(sure) - np.array([right[i].mean() for _, i in full])
        return float(rule(gaps, np.array([i.mean() for _, i in full])))

    return error


def _weighted(gap: Any, share: Any) -> Any:
    return (share * abs(gap)).sum()


def _mistaken_errors() -> list[tuple[Any, str]]:
    """Wrong ways to make one number of the bins; then bins that lie wrong."""

    def over_bins(c: Any, right: Any, bins: int = 10) -> float:
        return _binned(lambda gap, share: abs(gap).sum() / bins)(c, right, bins)

    cancel = (
        "Too sure here and too modest there cancel out in yours: the gaps keep their signs, or "
        "all texts lie in one bin. Take each bin's absolute gap, then the mean."
    )
    return [
        (
            lambda c, right, bins=10: float("nan"),
            "Your answer is nan: an empty bin has no mean. Pass over the bins without texts.",
        ),
        (
            _binned(lambda gap, share: abs(gap).mean()),
            "Every bin counts the same in yours, a bin with one text as much as one with a "
            "hundred. Weight each gap by its share of the texts.",
        ),
        (
            over_bins,
            "You divide by the number of bins, empty ones too. Weight each gap by its share of "
            "the texts.",
        ),
        (_binned(lambda gap, share: abs((share * gap).sum())), cancel),
        (_binned(lambda gap, share: (share * gap).sum()), cancel),
        (_binned(lambda gap, share: -(share * gap).sum()), cancel),
        (
            _binned(lambda gap, share: abs(gap).max()),
            "That is the worst bin's gap. Asked is the mean over all texts.",
        ),
        (
            _binned(lambda gap, share: abs(gap).sum()),
            "You add the gaps up without their weights: multiply each by its share of texts.",
        ),
        (
            lambda c, right, bins=10: float(abs(c - right).mean()),
            "You compare each text's confidence with its own outcome, 0 or 1. Compare means of "
            "bins: nobody can be 80 % right on one text.",
        ),
        (
            _binned(_weighted, centred=True),
            "You compare with the middle of the bin. Take the mean confidence of its texts.",
        ),
        (
            lambda c, right, bins=10: _binned(_weighted)(c, right, 10),
            "Yours has ten bins whatever `bins` says.",
        ),
        *(
            (
                _binned(rule),
                "You square the gaps. The mean of their absolute values is asked.",
            )
            for rule in (
                lambda gap, share: (share * gap**2).sum(),
                lambda gap, share: (share * gap**2).sum() ** 0.5,
            )
        ),
        (
            lambda c, right, bins=10: 100 * _binned(_weighted)(c, right, bins),
            "That is in percent. Give a share between 0 and 1.",
        ),
        (
            lambda c, right, bins=10: len(c) * _binned(_weighted)(c, right, bins),
            "You weight each gap by the number of its texts. Divide by the number of all texts.",
        ),
        *_mistaken_bins(),
    ]


def _mistaken_bins() -> list[tuple[Any, str]]:
    import numpy as np

    def alone(c: Any, bins: int) -> Any:
        return (c * bins).astype(int)

    def lost(c: Any, bins: int) -> Any:
        return np.where(c < 1, (c * bins).astype(int), -1)

    def upper_half(c: Any, bins: int) -> Any:
        return np.minimum(((c - 0.5) * 2 * bins).astype(int), bins - 1)

    def rounded(c: Any, bins: int) -> Any:
        return np.minimum((c * bins).round().astype(int), bins - 1)

    def equally_full(c: Any, bins: int) -> Any:
        return (np.argsort(np.argsort(c, kind="stable")) * bins / len(c)).astype(int)

    def from_smallest_to_largest(c: Any, bins: int) -> Any:
        return np.minimum(((c - c.min()) / np.ptp(c) * bins).astype(int), bins - 1)

    def between_edges(c: Any, bins: int) -> Any:
        return np.clip(np.digitize(c, np.linspace(0, 1, bins)) - 1, 0, bins - 2)

    def without_last(c: Any, bins: int) -> Any:
        return np.where((c * bins).astype(int) < bins - 1, (c * bins).astype(int), -1)

    return [
        (
            _binned(_weighted, rounded),
            "You round to the nearest bin: of ten bins 0.57 lies in bin 5, not 6. Cut the fraction "
            "off, as astype(int) does.",
        ),
        (
            _binned(_weighted, between_edges),
            "np.linspace(0, 1, bins) gives `bins` edges, and one bin fewer lies between them. It "
            "takes bins + 1 edges.",
        ),
        (
            _binned(_weighted, without_last),
            "Your last bin is never counted: there are `bins` of them, from 0 to bins - 1.",
        ),
        (
            _binned(_weighted, equally_full),
            "Your bins hold equally many texts. Asked are bins of equal width between 0 and 1.",
        ),
        (
            _binned(_weighted, from_smallest_to_largest),
            "Your bins lie between the smallest and the largest confidence. They are equal parts "
            "of 0 to 1.",
        ),
        (
            _binned(_weighted, upper_half),
            "Your bins divide 0.5 to 1. They are equal parts of 0 to 1.",
        ),
        (
            _binned(_weighted, alone),
            "A confidence of exactly 1.0 has a bin of its own in yours. It belongs to the last "
            "bin, bins - 1.",
        ),
        (
            _binned(_weighted, lost),
            "A text with a confidence of exactly 1.0 is in none of your bins. It belongs to the "
            "last one.",
        ),
    ]


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

    rng = np.random.default_rng(3)
    truth = rng.random(300) < 0.5
    probability = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0.01, 0.99).round(2)
    thresholds = [round(0.05 * i, 2) for i in range(1, 20)]
    rare = np.arange(400) % 20 == 0  # 5 % complaints
    seldom = np.clip(rng.normal(0.35 + 0.3 * rare, 0.2), 0.01, 0.99).round(2)
    six = np.array([0.9, 0.6, 0.3, 0.4, 0.2, 0.1])
    whose = np.array([True, True, True, False, False, False])
    eight = np.array([0.2, 0.9, 0.95, 0.3, 0.4, 0.1, 0.5, 0.85])
    expect_function(
        cheapest,
        _chosen(),
        cases=[
            *_telling_choices(),
            (probability, truth, thresholds, 10, 1),
            (probability, truth, thresholds, 1, 5),
            (seldom, rare, thresholds, 10, 1),
            (six, whose, [0.1, 0.3, 0.5, 0.6, 0.9], 10, 1),
            # Costs 4, 6, 5, 3, 2: cheap at 0.15, dearer, and cheapest at the end.
            (eight, np.arange(8) < 3, [0.15, 0.25, 0.35, 0.6, 0.87], 2, 1),
            # In no order; four of them cost the same, 1.
            (six, whose, [0.6, 0.28, 0.9, 0.3, 0.25, 0.27, 0.5], 10, 1),
        ],
        mistakes=_mistaken_choices(),
    )


def _telling_choices() -> list[Any]:
    """Reviews on which each likely mistake chooses a threshold of its own: found by drawing."""
    import numpy as np

    def case(bad: list[float], fine: list[float], thresholds: list[float], *costs: int) -> Any:
        probability, truth = np.array(bad + fine), np.arange(len(bad + fine)) < len(bad)
        return (probability, truth, thresholds, *costs)

    return [
        case(
            [0.26, 0.42, 0.59, 0.63, 0.79, 0.98, 0.98],
            [0.02, 0.39, 0.59, 0.82],
            [0.33, 0.56, 0.37, 0.86, 0.62, 0.16, 0.57, 0.09, 0.96, 0.8, 0.14, 0.89, 0.64],
            *(3, 2),
        ),
        case(
            [0.18, 0.38, 0.44, 0.48, 0.48, 0.51, 0.59, 0.62, 0.64, 0.65, 0.66, 0.72, 0.78, 0.84],
            [0.06, 0.1, 0.13, 0.15, 0.16, 0.2, 0.2, 0.24, 0.29, 0.36, 0.38, 0.4, 0.41, 0.44, 0.48],
            [0.38, 0.04, 0.55, 0.9, 0.1, 0.75, 0.48, 0.64, 0.44, 0.25, 0.05, 0.39],
            *(5, 1),
        ),
        case(
            [0.33, 0.64, 0.65, 0.66, 0.67, 0.67, 0.69, 0.75, 0.76, 0.9, 0.95, 0.98],
            [0.02, 0.04, 0.24, 0.25, 0.26, 0.34, 0.35, 0.67],
            [0.9, 0.44, 0.65, 0.16, 0.76, 0.13, 0.6, 0.11, 0.92, 0.5, 0.23],
            *(1, 5),
        ),
    ]


def _chosen(pick: Any = None, strict: bool = False, price: Any = None) -> Any:
    """The choice, or one with a mistake; price makes (missed, false_alarm) of those given."""
    import numpy as np

    def choose(p: Any, truth: Any, thresholds: Any, missed: Any, false_alarm: Any) -> Any:
        if price:
            missed, false_alarm = price(missed, false_alarm, truth)
        costs = np.array(_costs(p, truth, thresholds, missed, false_alarm, strict))
        return pick(thresholds, costs) if pick else thresholds[int(np.argmin(costs))]

    return choose


def _priced(counted: Any) -> Any:
    """The cheapest threshold where `counted` says what is missed and what a false alarm.

    It takes the alarms and the complaints, and returns two masks.
    """
    import numpy as np

    def choose(p: Any, truth: Any, thresholds: Any, missed: Any, false_alarm: Any) -> Any:
        pairs = [counted(p >= t, truth) for t in thresholds]
        costs = [missed * first.sum() + false_alarm * second.sum() for first, second in pairs]
        return thresholds[int(np.argmin(costs))]

    return choose


def _costs(
    p: Any, truth: Any, thresholds: Any, missed: Any, false_alarm: Any, strict: bool = False
) -> list[float]:
    alarms = [p > t if strict else p >= t for t in thresholds]
    return [missed * (truth & ~a).sum() + false_alarm * (~truth & a).sum() for a in alarms]


_OTHER_COUNTS = (
    "Your costs count something else than the two mistakes, or one of them only. Missed is a "
    "complaint without an alarm, a false alarm is an alarm without a complaint: each times its "
    "price, and both together."
)


def _miscounted() -> list[Any]:
    """Choices by costs that leave out one kind of mistake, or count what is none."""
    return [
        _chosen(price=lambda missed, false, truth: (missed, 0)),
        _chosen(price=lambda missed, false, truth: (0, false)),
        _priced(lambda alarm, truth: (truth & alarm, ~truth & alarm)),
        _priced(lambda alarm, truth: (truth & ~alarm, ~truth & ~alarm)),
        _priced(lambda alarm, truth: (truth & ~alarm, alarm)),
        _priced(lambda alarm, truth: (~alarm, ~truth & alarm)),
    ]


def _mistaken_choices() -> list[tuple[Any, str]]:
    import numpy as np

    def tied(place: Any) -> Any:
        return _chosen(
            lambda ts, costs: place([t for t, c in zip(ts, costs, strict=True) if c == costs.min()])
        )

    def before_the_rise(ts: Any, costs: Any) -> Any:
        rises = np.flatnonzero(np.diff(costs) > 0)
        return ts[int(rises[0])] if len(rises) else ts[-1]

    def by_f1(p: Any, truth: Any, ts: Any, missed: Any, false_alarm: Any) -> Any:
        return max(ts, key=lambda t: ((p >= t) & truth).sum() / ((p >= t).sum() + truth.sum()))

    def near_the_formula(p: Any, truth: Any, ts: Any, missed: Any, false_alarm: Any) -> Any:
        return min(ts, key=lambda t: abs(t - false_alarm / (missed + false_alarm)))

    def of_the_texts(p: Any, truth: Any, ts: Any, missed: Any, false_alarm: Any) -> Any:
        return _chosen()(p, truth, np.unique(p), missed, false_alarm)

    return [
        *((each, _OTHER_COUNTS) for each in _miscounted()),
        (
            by_f1,
            "That is the threshold with the best F1, which knows no costs. Price both kinds of "
            "mistakes.",
        ),
        (
            near_the_formula,
            "That is the threshold nearest to the formula for calibrated probabilities. Here "
            "count the mistakes on the given reviews.",
        ),
        (
            of_the_texts,
            "You search the probabilities of the texts. Return one of the given thresholds.",
        ),
        (
            _chosen(price=lambda missed, false, truth: (false, missed)),
            "The two costs have changed places: a missed complaint has no alarm, a false alarm "
            "has no complaint.",
        ),
        (
            _chosen(lambda ts, costs: ts[int(np.argmax(costs))]),
            "That is the dearest threshold. Either you take the largest cost, or your alarm is "
            "given below the threshold instead of from it on.",
        ),
        (
            _chosen(price=lambda missed, false, truth: (1, 1)),
            "Your threshold makes the fewest mistakes: the costs are not used. One kind of "
            "mistake is dearer than the other.",
        ),
        (
            _chosen(
                price=lambda missed, false, truth: (missed / truth.sum(), false / (~truth).sum())
            ),
            "You price shares, not counts: each kind of mistake is divided by its own class. A "
            "false alarm costs the same however many harmless reviews there are.",
        ),
        (_chosen(strict=True), "An alarm is given from the threshold on: >= and not >."),
        (
            _chosen(lambda ts, costs: float(min(costs))),
            "That is the lowest cost. Asked is the threshold at which it is reached.",
        ),
        (
            _chosen(lambda ts, costs: int(np.argmin(costs))),
            "That is the place in the list. Asked is the threshold that stands there.",
        ),
        (
            lambda p, truth, ts, missed, false_alarm: false_alarm / (missed + false_alarm),
            "That is the formula for calibrated probabilities. Here count the mistakes on the "
            "given reviews, and return one of the given thresholds.",
        ),
        (
            _chosen(before_the_rise),
            "You stop where the cost rises for the first time. It may fall again: try all.",
        ),
        (
            tied(lambda cheapest: cheapest[-1]),
            "Of several that cost the same you take the last: < and not <=. Asked is the first.",
        ),
        (
            tied(min),
            "Of several that cost the same you take the smallest. Asked is the one that stands "
            "first in the list, which is in no order.",
        ),
        (
            tied(max),
            "Of several that cost the same you take the largest. Asked is the one that stands "
            "first in the list, which is in no order.",
        ),
    ]


_CONFIDENT = '''
def confident_counts(answers, probabilities):
    """counts[i, j]: texts labelled i that the model confidently calls j."""
    classes = probabilities.shape[1]
    own = [probabilities[answers == j, j] for j in range(classes)]
    usual = [each.mean() if len(each) else np.inf for each in own]
    counts = np.zeros((classes, classes), dtype=int)
    for answer, row in zip(answers, probabilities, strict=True):
        sure = [j for j in range(classes) if row[j] >= usual[j]]
        if sure:
            counts[answer, max(sure, key=lambda j: row[j])] += 1
    return counts
'''


def _check_confident_counts(confident_counts: Any) -> None:
    import numpy as np

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
    # Bars 0.30, 0.75, 0.375. The first and the last reach 0 and 2, and 2 is the likelier; the last
    # is further above the bar of 0.
    first = [[0.35, 0.2, 0.45], [0.25, 0.65, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]]
    later = np.array([*first, [0.5, 0.16, 0.34], [0.36, 0.23, 0.41]])
    pairs = np.array([0, 0, 1, 1, 2, 2])
    # Class 1 has one text, which lies exactly at its bar.
    lonely = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    # No text is labelled 2, so nothing is called 2. Bars 0.55 and 0.6.
    absent = np.array([[0.7, 0.2, 0.1], [0.4, 0.1, 0.5], [0.25, 0.4, 0.35], [0.1, 0.8, 0.1]])
    expect_function(
        _led(confident_counts, _as_counts),
        _counted(_own_means),
        cases=[
            (answers, three),
            (np.array([0, 0, 0, 0, 1, 1, 1, 1]), two),
            (pairs, both),
            (pairs, later),
            (np.array([0, 0, 1]), lonely),
            (np.array([0, 0, 1, 1]), absent),
        ],
        mistakes=_mistaken_counts(),
    )


def _as_counts(came: Any) -> Any:
    """An array, whether a list of lists, a tensor or a table came."""
    import numpy as np

    if is_table(came) or is_tensor(came):
        return np.asarray(came)
    rows = type(came) in (list, tuple) and {type(row) for row in came} <= {list, tuple}
    return np.array(came) if rows and len({len(row) for row in came}) == 1 else came


def _own_means(answers: Any, p: Any, of_none: float = float("inf")) -> Any:
    """Each class's bar; of_none: that of a class that no text is labelled with."""
    own = [p[answers == j, j] for j in range(p.shape[1])]
    return [each.mean() if len(each) else of_none for each in own]


def _likeliest(sure: list[int], row: Any, bars: Any) -> list[int]:
    return sorted(sure, key=lambda j: -row[j])[:1]


def _counted(bars_of: Any, pick: Any = _likeliest, strict: bool = False) -> Any:
    """The count, or one with a mistake; pick says which of the classes that reach their bar."""
    import numpy as np

    def count(answers: Any, p: Any) -> Any:
        bars = bars_of(answers, p)
        counts = np.zeros((p.shape[1], p.shape[1]), dtype=int)
        for answer, row in zip(answers, p, strict=True):
            reached = row > bars if strict else row >= bars
            for j in pick(np.flatnonzero(reached).tolist(), row, bars):
                counts[answer, j] += 1
        return counts

    return count


def _mistaken_counts() -> list[tuple[Any, str]]:
    return [*_mistaken_bars(), *_mistaken_calls(), *_mistaken_tables()]


def _mistaken_bars() -> list[tuple[Any, str]]:
    import numpy as np

    def medians(answers: Any, p: Any) -> Any:
        return [np.median(p[answers == j, j]) for j in range(p.shape[1])]

    def of_predicted(answers: Any, p: Any) -> Any:
        return [p[p.argmax(axis=1) == j, j].mean() for j in range(p.shape[1])]

    def of_largest(answers: Any, p: Any) -> Any:
        return [p[answers == j].max(axis=1).mean() for j in range(p.shape[1])]

    def one_for_all(answers: Any, p: Any) -> Any:
        return [np.mean(_own_means(answers, p))] * p.shape[1]

    return [
        (
            _counted(lambda a, p: [0.0] * p.shape[1]),
            "You count every text under its likeliest class: that is a confusion matrix. Where no "
            "class reaches its bar the text is not counted, and the bar of class j is the mean of "
            "column j alone, over the texts labelled j.",
        ),
        (
            _counted(lambda a, p: _own_means(a, p, of_none=0.0)),
            "A class that no text is labelled with has no bar, and nothing reaches it. The mean of "
            "nothing is nan, and not (p < nan) is true: ask for p >= bar, or pass over the class.",
        ),
        (
            _counted(lambda a, p: [0.5] * p.shape[1]),
            "One half is no bar that suits every class: take the mean probability of class j "
            "over the texts that carry label j.",
        ),
        (
            _counted(lambda a, p: p.mean(axis=0)),
            "Your bar is the mean over all texts. Take it over the texts that carry label j.",
        ),
        (_counted(medians), "Your bar is the median. Take the mean."),
        (
            _counted(of_predicted),
            "Your bar is the mean over the texts that the model calls j. Take it over those that "
            "are labelled j.",
        ),
        (
            _counted(_own_means, strict=True),
            "A text exactly at its bar reaches it: >= and not >.",
        ),
        (
            _counted(of_largest),
            "Your bar is the mean of each text's largest probability. Take that of class j: column "
            "j, over the texts labelled j.",
        ),
        (
            _counted(one_for_all),
            "All classes have the same bar in yours. Each has its own: the model is not equally "
            "sure of all.",
        ),
    ]


def _mistaken_calls() -> list[tuple[Any, str]]:
    """Right bars, of which the wrong class is called, or none."""
    import numpy as np

    def given_first(answers: Any, p: Any) -> Any:
        counts = np.zeros((p.shape[1], p.shape[1]), dtype=int)
        bars = _own_means(answers, p)
        for answer, row in zip(answers, p, strict=True):
            sure = np.flatnonzero(row >= bars).tolist()
            for j in [answer] if answer in sure else _likeliest(sure, row, bars):
                counts[answer, j] += 1
        return counts

    def over_the_bar_of_the_given(answers: Any, p: Any) -> Any:
        counts = np.zeros((p.shape[1], p.shape[1]), dtype=int)
        passed = p.max(axis=1) >= np.array(_own_means(answers, p))[answers]
        np.add.at(counts, (answers[passed], p[passed].argmax(axis=1)), 1)
        return counts

    return [
        (
            over_the_bar_of_the_given,
            "You hold each text against the bar of its given label. Hold the probability of class "
            "j against the bar of class j, for each j.",
        ),
        (
            given_first,
            "Where the given label reaches its bar you count that. Take the likeliest of the "
            "classes that reach theirs, whatever the label says.",
        ),
        (
            _counted(_own_means, lambda sure, row, bars: sure if len(sure) == 1 else []),
            "You drop the texts that reach several bars. Count them under the likeliest.",
        ),
        (
            _counted(_own_means, lambda sure, row, bars: sure[-1:]),
            "Where several classes reach their bars you take the last. Take the likeliest.",
        ),
        (
            _counted(_own_means, lambda sure, row, bars: sure),
            "Some texts are counted twice. Where two classes pass their bars, take the "
            "likelier one.",
        ),
        (
            _counted(_own_means, lambda sure, row, bars: [j for j in sure if j == row.argmax()]),
            "You ask the likeliest class only. A class with a lower bar may reach it although "
            "another is likelier.",
        ),
        (
            _counted(_own_means, lambda sure, row, bars: sure[:1]),
            "Where several classes reach their bars you take the first. Take the likeliest.",
        ),
        (
            _counted(
                _own_means, lambda sure, row, bars: sorted(sure, key=lambda j: bars[j] - row[j])[:1]
            ),
            "Where several classes reach their bars you take the one furthest above its bar. "
            "Take the likeliest.",
        ),
    ]


def _mistaken_tables() -> list[tuple[Any, str]]:
    """Right calls, of which the wrong table is made."""
    import numpy as np

    right = _counted(_own_means)

    def of_classes_that_occur(answers: Any, p: Any) -> Any:
        occur = np.unique(answers)
        return right(answers, p)[np.ix_(occur, occur)]

    shares = "These are shares. Give the counts."
    return [
        (
            of_classes_that_occur,
            "Your table has as many classes as occur among the labels. A class may have no text "
            "here and still be one: their number is that of the columns of probabilities.",
        ),
        (
            lambda a, p: right(a, p) * (1 - np.eye(p.shape[1], dtype=int)),
            "You count the suspects only. Where model and label agree the text counts too, on the "
            "diagonal.",
        ),
        (
            lambda a, p: right(a, p).T,
            "Rows and columns have changed places: the row is the given label.",
        ),
        (lambda a, p: right(a, p) / len(a), shares),
        (lambda a, p: right(a, p) / right(a, p).sum(), shares),
        (lambda a, p: right(a, p) / right(a, p).sum(axis=1, keepdims=True), shares),
        (
            lambda a, p: (
                right(a, p)
                / right(a, p).sum(axis=1, keepdims=True)
                * np.bincount(a, minlength=p.shape[1])[:, None]
            ),
            "You scale the counts to the labels: that comes after. Give the counts.",
        ),
    ]


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
            WrongAnswer(
                changed(
                    _HONEST, "{same_text_key(text) for text in training_texts}", "training_texts"
                ),
                "key of the test texts only",
            ),
            WrongAnswer(
                changed(_HONEST, "return sum(", "return 100 * sum("), "That is a percentage"
            ),
            WrongAnswer(
                "def honest_accuracy(right, texts, training_texts):\n"
                "    known = {same_text_key(text) for text in training_texts}\n"
                "    by_key = {same_text_key(t): ok for ok, t in zip(right, texts, strict=True)}\n"
                "    unseen = [ok for key, ok in by_key.items() if key not in known]\n"
                "    return sum(unseen) / len(unseen)",
                "counts once in yours",
            ),
            WrongAnswer(
                "def honest_accuracy(right, texts, training_texts):\n"
                "    done = {same_text_key(text) for text in training_texts}\n"
                "    unseen = []\n"
                "    for ok, text in zip(right, texts, strict=True):\n"
                "        if same_text_key(text) not in done:\n"
                "            done.add(same_text_key(text))\n"
                "            unseen.append(ok)\n"
                "    return sum(unseen) / len(unseen)",
                "counts once in yours",
            ),
            WrongAnswer(
                changed(
                    _HONEST,
                    "if same_text_key(text) not in known]",
                    "if not any(key in same_text_key(text) for key in known)]",
                ),
                "whole keys are equal",
            ),
            WrongAnswer(
                changed(
                    _HONEST,
                    "{same_text_key(text) for text in training_texts}",
                    '" ".join(same_text_key(text) for text in training_texts)',
                ),
                "whole keys are equal",
            ),
            WrongAnswer(
                changed(_HONEST, "sum(unseen) / len(unseen)", "len(unseen) / len(texts)"),
                "share of the texts that are new",
            ),
            WrongAnswer(
                "def honest_accuracy(right, texts, training_texts):\n"
                "    known = {same_text_key(text) for text in training_texts}\n"
                "    ok = [r or same_text_key(t) in known for r, t in zip(right, texts)]\n"
                "    return sum(ok) / len(texts)",
                "seen counts as right",
            ),
            WrongAnswer(
                changed(
                    _HONEST, "strict=True) if same_text_key(text) not", "strict=True) if text not"
                ),
                "letter by letter",
            ),
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
            WrongAnswer(changed(_STEP, "loss.item()", "loss"), "You return a tensor"),
            WrongAnswer(changed(_STEP, "loss.item()", "loss.detach()"), "You return a tensor"),
            WrongAnswer(changed(_STEP, "loss.item()", "str(loss.item())"), "You return text"),
            WrongAnswer(changed(_STEP, "loss.item()", 'f"{loss.item():.4f}"'), "You return text"),
            WrongAnswer(
                changed(
                    _STEP,
                    "return loss.item()",
                    "return torch.nn.functional.cross_entropy(model(inputs), targets).item()",
                ),
                "once more after the step",
            ),
            WrongAnswer(
                changed(_STEP, ", targets)\n", ', targets, reduction="sum")\n'), "summed over"
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    optimizer.zero_grad()\n",
                    "    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)\n"
                    "    optimizer.zero_grad()\n",
                ),
                "optimizer that you were given never steps",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    optimizer.step()\n",
                    "    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n"
                    "    optimizer.step()\n",
                ),
                "You clip the gradient",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    optimizer.zero_grad()\n",
                    "    model.eval()\n    optimizer.zero_grad()\n",
                ),
                "switches dropout off",
            ),
            WrongAnswer(
                "def training_step(model, optimizer, inputs, targets):\n"
                "    optimizer.zero_grad()\n"
                "    z = model(inputs)\n"
                "    loss = torch.nn.functional.binary_cross_entropy_with_logits(\n"
                "        z[:, 1] - z[:, 0], targets.float()\n"
                "    )\n"
                "    loss.backward()\n"
                "    optimizer.step()\n"
                "    return loss.item()",
                "looks at two labels",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "model(inputs), targets)",
                    "torch.zeros(6, 3, requires_grad=True), targets)",
                ),
                "never called",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    optimizer.step()\n",
                    "    optimizer.step()\n    optimizer.step()\n",
                ),
                "optimizer.step() 2 times",
            ),
            WrongAnswer(
                "def training_step(model, optimizer, inputs, targets):\n"
                "    for _ in range(2):\n"
                "        optimizer.zero_grad()\n"
                "        loss = torch.nn.functional.cross_entropy(model(inputs), targets)\n"
                "        loss.backward()\n"
                "        optimizer.step()\n"
                "    return loss.item()",
                "One call makes 2 steps",
            ),
            WrongAnswer(
                "def training_step(model, optimizer, inputs, targets):\n"
                "    total = 0.0\n"
                "    for x, y in zip(inputs, targets):\n"
                "        optimizer.zero_grad()\n"
                "        loss = torch.nn.functional.cross_entropy(model(x[None]), y[None])\n"
                "        loss.backward()\n"
                "        optimizer.step()\n"
                "        total += loss.item()\n"
                "    return total / len(targets)",
                "One call makes 6 steps",
            ),
            WrongAnswer(
                changed(
                    _STEP,
                    "    loss.backward()\n",
                    "    loss.backward(retain_graph=True)\n    loss.backward()\n",
                ),
                "backward 2 times",
            ),
            WrongAnswer(changed(_STEP, "cross_entropy", "nll_loss"), "logarithms of probabilities"),
            WrongAnswer(
                changed(
                    _STEP,
                    "cross_entropy(model(inputs), targets)",
                    "nll_loss(model(inputs).softmax(-1), targets)",
                ),
                "logarithms of probabilities",
            ),
            WrongAnswer(changed(_STEP, "model(inputs)", "model(inputs).sigmoid()"), "a sigmoid"),
            WrongAnswer(
                changed(
                    _STEP,
                    "cross_entropy(model(inputs), targets)",
                    "mse_loss(\n"
                    "        model(inputs), torch.nn.functional.one_hot(targets, 3).float()\n"
                    "    )",
                ),
                "squared distance",
            ),
            WrongAnswer(changed(_STEP, "loss = torch", "loss = -torch"), "sign turned round"),
            WrongAnswer(
                changed(_STEP, "loss.item()", "loss.item() / len(targets)"), "is the mean already"
            ),
            WrongAnswer(
                changed(_STEP, "loss.item()", "loss.item() * len(targets)"), "sum over the batch"
            ),
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
            WrongAnswer(
                "def scores(hits, false_alarms, missed):\n"
                "    precision = hits / false_alarms if false_alarms else 0.0\n"
                "    recall = hits / missed if missed else 0.0\n"
                "    both = precision + recall\n"
                "    return precision, recall, 2 * precision * recall / both if both else 0.0",
                "mistakes alone",
            ),
            WrongAnswer(
                changed(
                    _SCORES,
                    "recall = hits / (hits + missed) if hits + missed",
                    "recall = hits / missed if missed",
                ),
                "mistakes alone",
            ),
            WrongAnswer(
                changed(
                    _SCORES,
                    "return precision, recall, 2 * precision * recall / both if both else 0.0",
                    "f1 = 2 * precision * recall / both if both else 0.0\n"
                    '    return {"precision": precision, "recall": recall, "F1": f1}',
                ),
                "Return a tuple",
            ),
            WrongAnswer(
                changed(
                    _SCORES,
                    "2 * precision * recall / both if both else 0.0",
                    "(precision * recall) ** 0.5",
                ),
                "geometric mean",
            ),
            WrongAnswer(
                changed(
                    _SCORES,
                    "return precision, recall, 2 * precision * recall / both if both else 0.0",
                    "return 2 * precision * recall / both if both else 0.0, precision, recall",
                ),
                "order is precision, recall, F1",
            ),
            WrongAnswer(
                _SCORES.replace("else 0.0", "else 1.0"), "nothing can be divided yours says 1"
            ),
            WrongAnswer(
                _SCORES.replace("else 0.0", 'else float("nan")'),
                "nothing can be divided yours says nan",
            ),
            WrongAnswer(
                changed(
                    changed(_SCORES, "return precision", "return round(precision, 2)"),
                    ", recall, 2 * precision * recall / both if both else 0.0",
                    ", round(recall, 2), round(2 * precision * recall / both if both else 0.0, 2)",
                ),
                "You round",
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
            WrongAnswer(changed(_ECE, "abs(", "("), "cancel out"),
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
            WrongAnswer(
                changed(
                    _ECE,
                    "np.minimum((confidence * bins).astype(int), bins - 1)",
                    "(confidence * bins).astype(int)",
                ),
                "in none of your bins",
            ),
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    place = (confidence * bins).astype(int)\n"
                "    error = 0.0\n"
                "    for b in np.unique(place):\n"
                "        inside = place == b\n"
                "        gap = abs(confidence[inside].mean() - right[inside].mean())\n"
                "        error += inside.mean() * gap\n"
                "    return error",
                "bin of its own",
            ),
            WrongAnswer(
                changed(_ECE, "        if inside.any():\n", "        if True:\n"), "answer is nan"
            ),
            WrongAnswer(
                changed(_ECE, "abs(confidence[inside].mean()", "abs((b + 0.5) / bins"),
                "middle of the bin",
            ),
            WrongAnswer(changed(_ECE, "inside.mean() * gap", "gap / bins"), "empty ones too"),
            WrongAnswer(
                changed(_ECE, "    place =", "    bins = 10\n    place ="), "whatever `bins` says"
            ),
            WrongAnswer(
                changed(_ECE, "(confidence * bins)", "((confidence - 0.5) * 2 * bins)"),
                "divide 0.5 to 1",
            ),
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    return abs(confidence.mean() - right.mean())",
                "all texts lie in one bin",
            ),
            WrongAnswer(
                changed(_ECE, "(confidence * bins).astype(int)", "(confidence * bins).round()"),
                "round to the nearest bin",
            ),
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    edges = np.linspace(0, 1, bins)\n"
                "    place = np.minimum(np.digitize(confidence, edges), bins - 1)\n"
                "    error = 0.0\n"
                "    for b in np.unique(place):\n"
                "        inside = place == b\n"
                "        gap = abs(confidence[inside].mean() - right[inside].mean())\n"
                "        error += inside.mean() * gap\n"
                "    return error",
                "bins + 1 edges",
            ),
            WrongAnswer(changed(_ECE, "range(bins)", "range(bins - 1)"), "never counted"),
            WrongAnswer(
                "def expected_calibration_error(confidence, right, bins=10):\n"
                "    error = 0.0\n"
                "    for inside in np.array_split(np.argsort(confidence), bins):\n"
                "        if len(inside):\n"
                "            gap = abs(confidence[inside].mean() - right[inside].mean())\n"
                "            error += len(inside) / len(right) * gap\n"
                "    return error",
                "equally many texts",
            ),
            WrongAnswer(
                changed(
                    _ECE,
                    "(confidence * bins)",
                    "((confidence - confidence.min()) / np.ptp(confidence) * bins)",
                ),
                "smallest and the largest",
            ),
            WrongAnswer(changed(_ECE, "inside.mean() * gap", "inside.mean() * gap**2"), "square"),
            WrongAnswer(
                changed(
                    changed(_ECE, "inside.mean() * gap", "inside.mean() * gap**2"),
                    "return error",
                    "return np.sqrt(error)",
                ),
                "square",
            ),
            WrongAnswer(changed(_ECE, "return error", "return 100 * error"), "in percent"),
            WrongAnswer(
                changed(_ECE, "inside.mean() * gap", "inside.sum() * gap"),
                "number of its texts",
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
            WrongAnswer(
                changed(
                    _CHEAPEST,
                    "thresholds[int(np.argmin(costs))]",
                    "thresholds[len(costs) - 1 - int(np.argmin(costs[::-1]))]",
                ),
                "you take the last",
            ),
            WrongAnswer(
                changed(
                    _CHEAPEST,
                    "thresholds[int(np.argmin(costs))]",
                    "min(t for t, c in zip(thresholds, costs) if c == min(costs))",
                ),
                "you take the smallest",
            ),
            WrongAnswer(
                changed(
                    _CHEAPEST,
                    "thresholds[int(np.argmin(costs))]",
                    "max(t for t, c in zip(thresholds, costs) if c == min(costs))",
                ),
                "you take the largest",
            ),
            WrongAnswer(
                changed(
                    changed(
                        _CHEAPEST,
                        "for threshold in thresholds:",
                        "for threshold in sorted(thresholds):",
                    ),
                    "thresholds[int(",
                    "sorted(thresholds)[int(",
                ),
                "you take the smallest",
            ),
            WrongAnswer(
                changed(
                    _CHEAPEST,
                    "        costs.append(cost)\n",
                    "        if costs and cost > costs[-1]:\n"
                    "            break\n"
                    "        costs.append(cost)\n",
                ),
                "rises for the first time",
            ),
            WrongAnswer(
                "def cheapest(probability, is_complaint, thresholds, missed, false_alarm):\n"
                "    bad, fine = probability[is_complaint], probability[~is_complaint]\n"
                "    costs = [missed * (bad < t).mean() + false_alarm * (fine >= t).mean()\n"
                "             for t in thresholds]\n"
                "    return thresholds[int(np.argmin(costs))]",
                "price shares",
            ),
            WrongAnswer(
                "def cheapest(probability, is_complaint, thresholds, missed, false_alarm):\n"
                "    return false_alarm / (missed + false_alarm)",
                "formula",
            ),
            WrongAnswer(
                changed(_CHEAPEST, " + false_alarm * (~is_complaint & alarm).sum()", ""),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "missed * (is_complaint & ~alarm).sum() + ", ""),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "(is_complaint & ~alarm)", "(is_complaint & alarm)"),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "(~is_complaint & alarm)", "(~is_complaint & ~alarm)"),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "(~is_complaint & alarm)", "alarm"),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "(is_complaint & ~alarm)", "(~alarm)"),
                "something else than the two mistakes",
            ),
            WrongAnswer(
                changed(_CHEAPEST, "probability >= threshold", "probability < threshold"),
                "below the threshold",
            ),
            WrongAnswer(
                "def cheapest(probability, is_complaint, thresholds, missed, false_alarm):\n"
                "    def f1(t):\n"
                "        alarm = probability >= t\n"
                "        hits = (alarm & is_complaint).sum()\n"
                "        return 2 * hits / (alarm.sum() + is_complaint.sum())\n"
                "    return max(thresholds, key=f1)",
                "best F1",
            ),
            WrongAnswer(
                "def cheapest(probability, is_complaint, thresholds, missed, false_alarm):\n"
                "    formula = false_alarm / (missed + false_alarm)\n"
                "    return min(thresholds, key=lambda t: abs(t - formula))",
                "nearest to the formula",
            ),
            WrongAnswer(
                changed(
                    _CHEAPEST,
                    "    costs = []\n",
                    "    costs = []\n    thresholds = np.unique(probability)\n",
                ),
                "probabilities of the texts",
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
            WrongAnswer(
                changed(_CONFIDENT, "max(sure, key=lambda j: row[j])", "sure[0]"), "take the first"
            ),
            WrongAnswer(
                changed(_CONFIDENT, "lambda j: row[j])", "lambda j: row[j] - usual[j])"),
                "furthest above its bar",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT, "row[j] >= usual[j]", "row[j] >= usual[j] and j == row.argmax()"
                ),
                "likeliest class only",
            ),
            WrongAnswer(changed(_CONFIDENT, ">= usual[j]", "> usual[j]"), ">= and not >"),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "each.mean() if",
                    "np.median(each) if",
                ),
                "median",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "return counts", "return counts / counts.sum()"), "shares"
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "return counts",
                    "return counts / counts.sum(axis=1, keepdims=True)",
                ),
                "shares",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "return counts",
                    "scale = np.bincount(answers, minlength=classes) / counts.sum(axis=1)\n"
                    "    return counts * scale[:, None]",
                ),
                "scale the counts",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "probabilities.shape[1]", "len(set(answers))"),
                "columns of probabilities",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "probabilities.shape[1]", "answers.max() + 1"),
                "columns of probabilities",
            ),
            WrongAnswer(
                changed(
                    changed(_CONFIDENT, " if len(each) else np.inf", ""),
                    "row[j] >= usual[j]",
                    "not row[j] < usual[j]",
                ),
                "nothing reaches it",
            ),
            WrongAnswer(changed(_CONFIDENT, "else np.inf", "else 0.0"), "nothing reaches it"),
            WrongAnswer(
                changed(
                    _CONFIDENT, "probabilities[answers == j, j]", "probabilities[answers == j]"
                ),
                "column j alone",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "probabilities[answers == j, j]",
                    "probabilities[probabilities.argmax(axis=1) == j, j]",
                ),
                "the model calls j",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "probabilities[answers == j, j]",
                    "probabilities[answers == j].max(axis=1)",
                ),
                "largest probability",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "    counts =",
                    "    usual = [np.mean(usual)] * classes\n    counts =",
                ),
                "the same bar",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "sure = [j for j in range(classes) if row[j] >= usual[j]]",
                    "sure = [row.argmax()] if row.max() >= usual[answer] else []",
                ),
                "bar of its given label",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "        if sure:\n",
                    "        if answer in sure:\n"
                    "            counts[answer, answer] += 1\n"
                    "        elif sure:\n",
                ),
                "given label reaches its bar you count that",
            ),
            WrongAnswer(
                changed(
                    _CONFIDENT,
                    "        if sure:\n",
                    "        if sure and max(sure, key=lambda j: row[j]) != answer:\n",
                ),
                "the suspects only",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "        if sure:\n", "        if len(sure) == 1:\n"),
                "You drop the texts",
            ),
            WrongAnswer(
                changed(_CONFIDENT, "max(sure, key=lambda j: row[j])", "sure[-1]"), "take the last"
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
                "backward() adds to `.grad`. Each was taken at other weights, and the first pushes "
                "three times.",
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
                "Each axis asks within one class, so the sizes of the classes do not matter.",
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
        "A temperature of 2 is applied to the logits of a classifier with two labels. Decisions "
        "are made at one half. What does the temperature change?",
        options=[
            Option(
                "The accuracy: it rises.",
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
            Option(
                "0.9", "At 0.9 you would miss those with 0.8, at 0.8 · 9 = 7.2 each on average."
            ),
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
                "Train/serve skew: another tokenizer, case, width, script or length on the way. "
                "Compare unknown tokens and lengths on both sides, and ask for a few known texts.",
                right=True,
            ),
        ],
    ),
]
