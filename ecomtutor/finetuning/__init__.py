"""Teach an encoder the shop's own labels, and know how far to trust the result.

examples       texts and labels, checked at the door
batches        like lengths together, words hidden at random
model          an encoder and a head; LoRA
fitting        fit_classifier: all weights, an adapter, or the head alone
classifier     predict, save, load
packed         the forward pass for reading alone, faster; the same numbers
report         curves, metrics, confusion, calibration, cost
label_noise    which labels are probably wrong
baselines      what it has to beat
recipes        what the course ships: python -m ecomtutor.finetuning shop-sentiment-zh
curves, card   their figures
own_reviews    the shipped ones on a file of yours: evaluate … --file
shipped        load_classifier

    classifier, report = fit_classifier(texts, labels, encoder="zh", validation=(others, theirs))
    classifier.predict_proba(["物流很快，包装也好"])
"""

from ecomtutor.finetuning.batches import TrainingBatches
from ecomtutor.finetuning.classifier import Classifier, TruncatedText
from ecomtutor.finetuning.curves import learning_curves
from ecomtutor.finetuning.examples import Examples, LabelError, class_weights, examples
from ecomtutor.finetuning.fitting import LeakedTexts, Settings, fit_classifier
from ecomtutor.finetuning.label_noise import LabelNoise, find_label_noise, out_of_fold
from ecomtutor.finetuning.model import EncoderWithHead, mean_of_tokens, with_head, with_lora
from ecomtutor.finetuning.report import Cost, FitReport
from ecomtutor.finetuning.shipped import load_classifier

__all__ = [
    "Classifier",
    "Cost",
    "EncoderWithHead",
    "Examples",
    "FitReport",
    "LabelError",
    "LabelNoise",
    "LeakedTexts",
    "Settings",
    "TrainingBatches",
    "TruncatedText",
    "class_weights",
    "examples",
    "find_label_noise",
    "fit_classifier",
    "learning_curves",
    "load_classifier",
    "mean_of_tokens",
    "out_of_fold",
    "with_head",
    "with_lora",
]
