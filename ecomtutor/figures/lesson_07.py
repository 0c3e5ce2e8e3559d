"""Figures of lesson 07, fine-tuning. Each answers one question; the deck shows the same."""

import warnings
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from ecomtutor import datasets, metrics
from ecomtutor.figures.core import BLUE, GREEN, INK, ORANGE, PURPLE, Figure, drawing, finish

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

LABELS = ("negative", "positive")
MISSED, FALSE_ALARM = 10, 1
CATEGORIES = {
    "book": "书|作者|小说|读者|文笔|故事|章|译",
    "hotel": "酒店|房间|宾馆|前台|入住|早餐|服务员|携程|大堂",
    "computer": "电脑|笔记本|本本|硬盘|内存|系统|屏幕|键盘|散热|电池|驱动|显卡|预装",
}
LENGTHS = (0, 20, 40, 80, 160, 10_000)  # characters of a review
_LANGUAGES = {"en": "English", "zh": "Chinese"}
# The reviews that the lesson has its readers judge, by their first 24 characters.
_IN_ENGLISH = {
    "我的孩子很喜欢。绘画精美，精彩。合适1岁多的小宝": (
        "My child likes it very much. Fine drawings, wonderful, and a child of one "
        "understands it: hums the song at the little bear's birthday …"
    ),
    "启动时光驱声音较大 ，1G内存真是不够用 建议购": (
        "The disc drive is rather loud at start, and 1 GB of memory is really not enough. "
        "Better add some when you buy it."
    ),
    "儿子现在两周九个月了,平时就有玩?下蛋游戏?,这": (
        "My son is two years and nine months old. He used to play “laying eggs”; the book has"
        " that game, and “fishing”, too. Every day: Mummy, let us go fishing …"
    ),
    "晕死，发表的评论竟然无法编辑？？？我想改几个错别": (
        "I could faint: a published comment cannot be edited??? I only wanted to mend typos. "
        "“The pain of letting off gloom” should be “the joy of” it: the opposite!!!"
    ),
    "不错不错不错不错不错不错不错不错不错不错不错不错": "Not bad, not bad, not bad, and so on.",
    "周末住了一晚，酒店周边还是可以的，出行很方便~周": (
        "Stayed one night at the weekend. The surroundings are all right, it is easy to get "
        "about; on Sunday to the sights by taxi, 25 yuan."
    ),
    "一直都介绍客户到这家酒店公寓，由于地理位置比较方": (
        "I always send clients to this apartment hotel: easy to pick them up, near the "
        "amusement park, pleasant, like home. On the whole quite satisfied."
    ),
    "投诉内容： 2009-5-22收到一张发票号码：": (
        "Complaint: on 22 May 2009 an invoice arrived (for order 4491950) over 8,591 yuan, "
        "but that order of 9 April …"
    ),
    "很喜欢这本书，可以从中得到一些借鉴。拉拉是个幸运": (
        "I like this book very much and learn from it. Lala was lucky: besides her own "
        "efforts she had good chances and kind guides. In reality effort does not always …"
    ),
    "首先我要点评一下玄武饭店6楼的房间，实在是太差了": (
        "First, the rooms on floor 6 are really too poor, three stars at most. Above floor 8 "
        "they were clearly done up and are much better. We took six rooms …"
    ),
    "2),有车接送,很方便.": "2) A car picks you up and takes you back, very convenient.",
    "楼很老,房间很大,服务不错.": "The building is old, the room large, the service good.",
    "我家小宝同学特别喜爱卡梅拉系列故事,每天晚上睡觉": (
        "My little one loves these stories. Every evening one must be told, and they go with "
        "him into his dreams. I like them, too: the pictures are amusing, they speak …"
    ),
    "用了6年的THINKPAD,一直认为是笔记本中最": (
        "Six years with a ThinkPad: I have always taken it for the best of notebooks!"
    ),
    "很着急不知道怎样培养孩子。我是幼儿教师，大家都说": (
        "I worried how to bring up my child. I teach at a kindergarten, so all say that I "
        "can; but it takes the whole family. I gave this book to mine …"
    ),
    "风扇声音有点大，标配内存太小，说是LED的屏，看": (
        "The fan is a little loud, too little memory, and although they call the screen LED "
        "the eyes hurt after a while."
    ),
    "酒店房间很大，但设施已经较为陈旧，同样是“豪华大": (
        "A large room, but old furniture; of the same “deluxe” rooms some have a sofa, some "
        "none and only two chairs."
    ),
    "房间较小": "The room is rather small.",
    "3、酒店的自助早餐价格还是很贵的，但是品种实在是": (
        "3. The hotel's breakfast buffet is quite dear, and there is very little to choose from."
    ),
    "这位姐姐对这本书几近痴迷。我不好这一口，没有耐心": (
        "This lady is nearly possessed by the book. Not to my taste, I have no patience for "
        "it. I only praise the delivery, quick and in better condition than my last two."
    ),
    "正月初四带女儿入住横店国贸大厦，感觉很不好。": (
        "Stayed at the hotel in Hengdian with my daughter at New Year, it felt very bad."
    ),
    "建议地铁出来后多建点往酒店的标示牌会更好!": (
        "Some more signs to the hotel on the way from the metro would be better!"
    ),
    "预订的时候，要求“正朝中山公园的行政楼层”；以前": (
        "When booking I asked for the executive floor that faces the park. Friends had got "
        "it; this time they would only “try”, and not confirm: a little disappointed!"
    ),
    "电池使用时间在把蓝牙等都打开后比标称的9.5小时": (
        "With Bluetooth and all on, the battery lasts much shorter than the 9.5 hours it "
        "says, about 6; still far better than most netbooks."
    ),
    "补充点评 2008年2月25日 ： 忘记说了，那": (
        "In addition, 25 February 2008: I forgot to say that those two rooms were even called"
        " deluxe."
    ),
}
_METHODS = {
    "full": (BLUE, "-", "o"),
    "lora": (ORANGE, "--", "s"),
    "frozen": (GREEN, "-.", "^"),
    "tf-idf": (PURPLE, ":", "D"),
}


@dataclass(frozen=True)
class Judged:
    """A test split and what the shipped classifier says of it.

    table has the columns text, label, complaint (the truth, True for negative) and probability
    (of being a complaint, with the classifier's temperature); logits has shape (texts, 2).
    """

    table: "pd.DataFrame"
    logits: "np.ndarray"

    @property
    def answers(self) -> "np.ndarray":
        """The number of each text's label in `LABELS`, shape (texts,)."""
        return (~self.table["complaint"]).to_numpy().astype(int)


@cache
def judged(language: str) -> Judged:
    """The shipped classifier on its whole test split, computed once in a session.

    English sentences that readers found neutral are left out: they carry no sign.
    """
    from ecomtutor.finetuning import TruncatedText, load_classifier

    table = datasets.reviews(language)
    chosen = (table["split"] == "test") & table["label"].isin(LABELS)
    table = table.loc[chosen].drop(columns="split").reset_index(drop=True)
    classifier = load_classifier(language)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TruncatedText)  # a few of 1,708 are longer than 512
        logits = classifier.logits(table["text"].tolist())
    chances = metrics.with_temperature(logits, classifier.temperature)
    table["complaint"] = table["label"] == "negative"
    table["probability"] = chances[:, 0]
    return Judged(table, logits)


@cache
def elsewhere() -> "pd.DataFrame":
    """Sixty Chinese reviews of goods that the classifier never met: category, complaint, text.

    Written for the course before any classifier saw them; probability is the shipped one's.
    """
    import pandas as pd

    from ecomtutor.datasets.store import data_dir
    from ecomtutor.finetuning import load_classifier

    table = pd.read_csv(data_dir() / "experiments" / "other_categories.csv")
    table["complaint"] = table["label"] == "negative"
    table["probability"] = load_classifier("zh").predict_proba(table["text"].tolist())[:, 0]
    return table


def in_english(review: str) -> str:
    """What a Chinese review that the lesson shows says, shortened; "" for all others."""
    return _IN_ENGLISH.get(review[:24], "")


def category(texts: "pd.Series") -> "pd.Series":
    """Which part of the shop each Chinese review is about, by its words; "unclear" for others.

    The published file has no categories. A review with words of several goes to the first.
    """
    import pandas as pd

    found = pd.Series("unclear", index=texts.index)
    for name, words in reversed(CATEGORIES.items()):
        found[texts.str.contains(words)] = name
    return found


def learning_curves() -> Figure:
    """How does accuracy grow with reviews: all weights, LoRA, the head alone, TF-IDF?"""
    from ecomtutor.finetuning import learning_curves as measured

    table = measured()
    draws = table.groupby("reviews")["seed"].nunique()
    told = []
    with drawing(6.8, 3.6) as (fig, ax):
        for method in (each for each in _METHODS if (table["method"] == each).any()):
            colour, line, mark = _METHODS[method]
            seeds = table[table["method"] == method].groupby("reviews")["accuracy"]
            mean = seeds.mean()
            ax.plot(mean.index, mean, line, color=colour, marker=mark, label=method)
            # A band that ran on to a single draw would narrow to nothing, as if that were certain.
            several = seeds.count() > 1
            ax.fill_between(mean.index, seeds.min(), seeds.max(), several, color=colour, alpha=0.15)
            told.append(f"{method} from {mean.iloc[0]:.2f} to {mean.iloc[-1]:.2f}")
        ax.set_xscale("log")
        ax.set_xticks(draws.index, [f"{size:,}\n{_so_many(n)}" for size, n in draws.items()])
        ax.minorticks_off()
        ax.set(xlabel="reviews to learn from", ylabel="accuracy on held-out reviews")
        ax.legend()
    single = ", and a single one has no band" if draws.min() == 1 else ""
    return finish(
        fig,
        f"Lines of accuracy over the number of reviews: {'; '.join(told)}. Bands span the draws"
        f"{single}: "
        f"{', '.join(f'{size:,} reviews {_so_many(n)}' for size, n in draws.items())}.",
    )


def _so_many(draws: int) -> str:
    return "1 draw" if draws == 1 else f"{draws} draws"


def confusion() -> Figure:
    """In which way is it wrong? The four cases, and what follows from them."""
    table = judged("zh").table
    alarm = table["probability"] >= 0.5
    truth = table["complaint"]
    counts = [
        [int((truth & alarm).sum()), int((truth & ~alarm).sum())],
        [int((~truth & alarm).sum()), int((~truth & ~alarm).sum())],
    ]
    hits, missed = counts[0]
    precision, recall = hits / (hits + counts[1][0]), hits / (hits + missed)
    f1 = 2 * precision * recall / (precision + recall)
    with drawing(5.6, 3.0) as (fig, ax):
        ax.imshow(counts, cmap="Blues", vmin=0, vmax=2 * max(map(max, counts)), aspect="auto")
        for i, row in enumerate(counts):
            for j, count in enumerate(row):
                ax.text(j, i, f"{count:,}", ha="center", va="center", fontsize=16)
        ax.set_xticks([0, 1], ["alarm", "no alarm"])
        ax.set_yticks([0, 1], ["complaint", "fine"])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_title(f"precision {precision:.3f}   recall {recall:.3f}   F1 {f1:.3f}")
    return finish(
        fig,
        f"Of {hits + missed:,} complaints {hits:,} got an alarm and {missed:,} none; of "
        f"{sum(counts[1]):,} harmless reviews {counts[1][0]:,} got an alarm. Precision "
        f"{precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}.",
    )


def roc_and_pr() -> Figure:
    """Which trade-offs between found complaints and false alarms does a classifier offer?"""
    from sklearn.metrics import (
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    said = []
    with drawing(7.6, 3.7, columns=2) as (fig, (left, right)):
        for language, colour, line in (("zh", BLUE, "-"), ("en", ORANGE, "--")):
            table = judged(language).table
            truth, said_so = table["complaint"], table["probability"]
            across, up, _ = roc_curve(truth, said_so)
            precision, recall, _ = precision_recall_curve(truth, said_so)
            areas = roc_auc_score(truth, said_so), average_precision_score(truth, said_so)
            name = _LANGUAGES[language]
            left.plot(across, up, line, color=colour, label=f"{name}, area {areas[0]:.3f}")
            right.plot(recall, precision, line, color=colour, label=f"{name}, area {areas[1]:.3f}")
            right.axhline(truth.mean(), color=colour, linestyle=":", linewidth=1)
            said.append(f"{name} ROC area {areas[0]:.3f}, PR area {areas[1]:.3f}")
        left.axline((0, 0), slope=1, color=INK, linewidth=1, linestyle=":")
        left.set(title="ROC", xlabel="false alarms, share of the harmless")
        left.set(ylabel="complaints found (recall)")
        right.set(title="Precision and recall", xlabel="complaints found (recall)")
        right.set(ylabel="alarms that are right (precision)", ylim=(0, 1.03))
        for ax in (left, right):
            ax.legend(loc="lower right" if ax is left else "lower left", fontsize=9)
    return finish(
        fig, f"Two panels of curves. {'; '.join(said)}. Dotted: what chance alone reaches."
    )


def rare_complaints(share: float = 0.05) -> Figure:
    """The same classifier where complaints are rare: which of the two curves notices?"""
    from sklearn.metrics import precision_recall_curve, roc_curve

    table = judged("zh").table
    rare = thinned(table, share)
    with drawing(7.6, 3.4, columns=2) as (fig, (left, right)):
        for part, colour, line in ((table, BLUE, "-"), (rare, PURPLE, "--")):
            name = f"{part['complaint'].mean():.0%} complaints"
            across, up, _ = roc_curve(part["complaint"], part["probability"])
            precision, recall, _ = precision_recall_curve(part["complaint"], part["probability"])
            left.plot(across, up, line, color=colour, label=name)
            right.plot(recall, precision, line, color=colour, label=name)
        left.set(title="ROC", xlabel="false alarms", ylabel="recall")
        right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
        right.set(ylim=(0, 1.03))
        left.legend(loc="lower right", fontsize=9)
    return finish(
        fig,
        f"Two panels, each with {table['complaint'].mean():.0%} and "
        f"{rare['complaint'].mean():.0%} complaints: the ROC curves nearly coincide, the precision "
        "of the rare case lies lower.",
    )


def thinned(table: "pd.DataFrame", share: float) -> "pd.DataFrame":
    """The table with so many complaints taken out, by a fixed draw, that this share is left."""
    import pandas as pd

    harmless, complaints = table[~table["complaint"]], table[table["complaint"]]
    keep = round(share / (1 - share) * len(harmless))
    return pd.concat([harmless, complaints.sample(keep, random_state=0)])


def reliability() -> Figure:
    """When the classifier says 90 %, is it right nine times in ten?"""
    from ecomtutor.finetuning import load_classifier

    said = []
    with drawing(7.6, 3.8, columns=2) as (fig, axes):
        for ax, language in zip(axes, ("zh", "en"), strict=True):
            seen, temperature = judged(language), load_classifier(language).temperature
            before = metrics.with_temperature(seen.logits, 1.0)
            after = metrics.with_temperature(seen.logits, temperature)
            plain = _reliability(ax, before, seen.answers, ORANGE, "s", "--", "as trained")
            mended = _reliability(ax, after, seen.answers, BLUE, "o", "-", f"T = {temperature:.2f}")
            ax.axline((0.5, 0.5), slope=1, color=INK, linewidth=1, linestyle=":")
            ax.set(title=_LANGUAGES[language], xlim=(0.48, 1.01), ylim=(0.3, 1.02))
            ax.set(xlabel="how sure (mean of a bin)", ylabel="how often right")
            ax.legend(loc="lower right", fontsize=9)
            said.append(
                f"{_LANGUAGES[language]}: calibration error {plain:.3f} as trained, {mended:.3f} "
                f"with temperature {temperature:.2f}"
            )
    return finish(fig, f"Confidence against accuracy in fifteen bins. {'; '.join(said)}.")


def _reliability(
    ax: "Axes",
    chances: "np.ndarray",
    answers: "np.ndarray",
    colour: str,
    mark: str,
    line: str,
    name: str,
) -> float:
    """Draws one line, the size of a mark for the number of texts; returns the error."""
    import numpy as np

    seen = metrics.reliability(chances, answers)
    ax.plot(seen.confidence, seen.accuracy, line, color=colour, linewidth=1.3)
    sizes = 14 + 3 * np.sqrt(seen.texts)
    label = f"{name}, error {seen.error:.3f}"
    ax.scatter(seen.confidence, seen.accuracy, sizes, color=colour, marker=mark, label=label)
    return seen.error


def cost_by_threshold() -> Figure:
    """From which probability on should somebody read the review today?"""
    import numpy as np

    table = judged("zh").table
    tried = np.linspace(0.01, 0.99, 99)
    ratios = ((MISSED, BLUE, "-"), (3, GREEN, "-."), (1, ORANGE, "--"))
    said = []
    with drawing(6.8, 3.5) as (fig, ax):
        for missed, colour, line in ratios:
            costs = metrics.cost_of_threshold(
                table["complaint"],
                table["probability"],
                tried,
                missed=missed,
                false_alarm=FALSE_ALARM,
            )
            best = int(costs.argmin())
            ax.plot(tried, costs, line, color=colour, label=f"missed : false alarm = {missed} : 1")
            ax.plot(tried[best], costs[best], "D", color=colour)
            said.append(f"{missed} : 1 cheapest at {tried[best]:.2f}, cost {costs[best]:.2f}")
        ax.set(xlabel="alarm from this probability on", ylabel="mean cost of a review", ylim=0)
        ax.legend()
    return finish(fig, f"Cost against threshold, three ratios of costs: {'; '.join(said)}.")


def slices() -> Figure:
    """On which reviews is it wrong more often: short ones, long ones, which products?"""
    import pandas as pd

    table = judged("zh").table
    right = (table["probability"] >= 0.5) == table["complaint"]
    names = [f"{a}–{b - 1}" for a, b in pairwise(LENGTHS)]
    names[-1] = f"{LENGTHS[-2]} +"
    length = pd.cut(table["text"].str.len(), LENGTHS, right=False, labels=names)
    said = []
    with drawing(7.6, 3.5, columns=2) as (fig, axes):
        for ax, groups, title in zip(
            axes, (length, category(table["text"])), ("by characters", "by category"), strict=True
        ):
            seen = right.groupby(groups, observed=True).agg(["mean", "size"])
            spread = 1.96 * (seen["mean"] * (1 - seen["mean"]) / seen["size"]) ** 0.5
            ax.errorbar(range(len(seen)), seen["mean"], spread, fmt="o", color=BLUE, capsize=4)
            labels = [f"{name}\nn={n}" for name, n in seen["size"].items()]
            ax.set_xticks(range(len(seen)), labels, fontsize=8.5)
            ax.axhline(right.mean(), color=INK, linewidth=1, linestyle=":")
            ax.set(title=title, ylabel="accuracy", ylim=(0.7, 1.0))
            said += [f"{name} {value:.3f}" for name, value in seen["mean"].items()]
    return finish(
        fig,
        f"Accuracy of slices of the Chinese test split with 95 % intervals, {right.mean():.3f} "
        f"over all: {', '.join(said)}.",
    )
