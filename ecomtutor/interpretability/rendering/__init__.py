"""Explanations and attention as pictures: one piece of static HTML each, and its numbers as text.

heat_text       the text itself, tinted and underlined by what each unit did
bars            the units that moved the output most, with error bars
waterfall       from the output with all hidden to that of the whole text, unit by unit
compare         several methods' heat texts under one another
attention_arcs  who looks at whom in one head
head_grid       all heads of all layers at once

    heat_text(explain("物流太慢，书很好", load_classifier("zh")), "negative")
"""

from ecomtutor.interpretability.rendering.attention import attention_arcs, head_grid
from ecomtutor.interpretability.rendering.bars import bars, waterfall
from ecomtutor.interpretability.rendering.heat import compare, heat_text
from ecomtutor.interpretability.rendering.picture import Picture

__all__ = [
    "Picture",
    "attention_arcs",
    "bars",
    "compare",
    "head_grid",
    "heat_text",
    "waterfall",
]
