"""A small language model as recommender: it may wish for anything, the catalogue answers.

SmolLM2 reads what a customer buys, writes what the customer needs, and then search words for it.
What it writes is a query and nothing else: every product that is shown comes out of the search,
so the shop sells it. Left alone, the same model names products that no shop has.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecomtutor.errors import EcomTutorError
from ecomtutor.recommendation.base import Recommender, popularity
from ecomtutor.recommendation.in_words import profile_texts
from ecomtutor.recommendation.purchases import Purchases
from ecomtutor.text.checking import require_text

if TYPE_CHECKING:
    import pandas as pd

    from ecomtutor.models import Loaded

Message = tuple[str, str]

PROFILES_AT_ONCE = 20
NEED_TOKENS, QUERY_TOKENS, NAMES_TOKENS = 24, 12, 64
PROFILE_CHARACTERS = 300

SHOPKEEPER = "You are a shopkeeper."
WHAT_ELSE = "I bought {}. What else do I need?"
NEED_EXAMPLES: tuple[Message, ...] = (
    ("tent, sleeping bag, camping stove", "You need a lantern and a water bottle."),
    ("tortilla chips, ground beef, shredded cheese", "You need salsa and taco shells."),
    ("shampoo, razors", "You need shaving cream and soap."),
)
SEARCHER = "Turn what a customer needs into search words for a shop."
QUERY_EXAMPLES: tuple[Message, ...] = (
    ("You need salsa and taco shells.", "salsa, taco shells"),
    ("You need a lantern and a water bottle.", "lantern, water bottle"),
)
SELLER = "You are a shop assistant."
ASK_FOR_NAMES = "I am looking for: {}. Recommend three products, with brand and name."


@dataclass(frozen=True)
class Need:
    """What the language model made of a profile: a need in a sentence, and search words for it."""

    profile: str
    need: str
    query: str


def write(
    prompts: Sequence[str], new_tokens: int, *, generator: "Loaded | None" = None
) -> list[str]:
    """Continue each prompt greedily, many at once, padded on the left, with cached keys and values.

    Args:
        prompts: texts as the model's chat template makes them.
        new_tokens: at most so many; a continuation ends earlier where the model ends it.
        generator: what `load_generator` returned; unless given, SmolLM2.

    Returns:
        The continuations, without special tokens.
    """
    import torch

    from ecomtutor.models import load_generator

    loaded = generator or load_generator("en")
    tokenizer, model = loaded.tokenizer, loaded.model
    filler = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    out: list[str] = []
    for start in range(0, len(prompts), PROFILES_AT_ONCE):
        inputs = tokenizer(
            list(prompts[start : start + PROFILES_AT_ONCE]),
            return_tensors="pt", padding=True, padding_side="left",
        )  # fmt: skip
        with torch.inference_mode():
            ids = model.generate(  # type: ignore[operator]
                **inputs, max_new_tokens=new_tokens, do_sample=False, pad_token_id=filler
            )
        width = inputs["input_ids"].shape[1]
        texts = tokenizer.batch_decode(ids[:, width:], skip_special_tokens=True)
        out += [str(text).strip() for text in texts]
    return out


def write_needs(profiles: Sequence[str], generator: "Loaded | None" = None) -> list[Need]:
    """What customers with these profiles may need, and how to search for it.

    Each distinct profile is read once. An empty one needs nothing and gives an empty query.

    Args:
        profiles: what each customer bought, in words: "bananas, milk, diapers".
        generator: what `load_generator` returned; unless given, SmolLM2.

    Raises:
        EcomTutorError: a single string, or something that is not text.
    """
    profiles = _checked(profiles)
    examples = [(WHAT_ELSE.format(bought), need) for bought, need in NEED_EXAMPLES]
    distinct = [profile for profile in dict.fromkeys(profiles) if profile]
    needs = write(
        [_chat(SHOPKEEPER, examples, WHAT_ELSE.format(profile), generator) for profile in distinct],
        NEED_TOKENS,
        generator=generator,
    )
    needs = [without_repeats(need) for need in needs]
    queries = write_queries(needs, generator)
    found = {profile: Need(profile, need, query)
             for profile, need, query in zip(distinct, needs, queries, strict=True)}  # fmt: skip
    return [found.get(profile, Need(profile, "", "")) for profile in profiles]


def write_queries(needs: Sequence[str], generator: "Loaded | None" = None) -> list[str]:
    """Search words for needs in whole sentences. Arguments and errors as in `write_needs`."""
    prompts = [_chat(SEARCHER, QUERY_EXAMPLES, need, generator) for need in _checked(needs)]
    return [without_repeats(text) for text in write(prompts, QUERY_TOKENS, generator=generator)]


def write_names(needs: Sequence[str], generator: "Loaded | None" = None) -> list[list[str]]:
    """What the model recommends by name when nothing holds it to a catalogue: up to three each.

    The counter-example of lesson 08. Arguments and errors as in `write_needs`.
    """
    prompts = [_chat(SELLER, (), ASK_FOR_NAMES.format(need), generator) + "1."
               for need in _checked(needs)]  # fmt: skip
    return [listed_names(text) for text in write(prompts, NAMES_TOKENS, generator=generator)]


def listed_names(text: str, most: int = 3) -> list[str]:
    """The distinct names in a numbered list that begins after its "1.": what comes before a colon,
    a dash or the end of the line; without quotation marks and asterisks."""
    names: dict[str, None] = {}
    for item in re.split(r"\n\s*\d+[.)]", text):
        line = item.strip().split("\n")[0].replace("*", "").replace('"', "")
        name = re.split(r":|\s[-–]\s", line)[0].strip(" .,")
        if name:
            names[name] = None
    return list(names)[:most]


def without_repeats(text: str) -> str:
    """A list in words without its repetitions: small models run in circles.

    "a cake, a cake, a cup, a cake" becomes "a cake, a cup".
    """
    return ", ".join(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def is_sold(name: str, titles: Sequence[str]) -> bool:
    """Whether a shop sells what was named, judged generously: one title has all of its words."""
    said = Counter(_words(name))
    return bool(said) and any(said <= Counter(_words(title)) for title in titles)


class LanguageModelRecommender(Recommender):
    """A need that the model writes from a household's past, searched for in the catalogue.

    The score of a product is the cosine of its text with the query, plus a share of popularity:
    thousands of products have the same few words.

    Args:
        popularity_weight: as in `TextTower`.
        writer: profiles → needs; unless given, `write_needs`. Whatever it writes, only products
            of the catalogue get a score.
        read: which part is searched for: "query", "need", or "profile", the words of the past
            themselves, for which no language model is asked.
        bf16: as in `embed`.
    """

    name: ClassVar[str] = "language model"

    def __init__(
        self,
        popularity_weight: float = 4.0,
        writer: Callable[[list[str]], list[Need]] | None = None,
        read: str = "query",
        bf16: bool = True,
    ):
        super().__init__()
        if read not in ("query", "need", "profile"):
            raise EcomTutorError(f'read is "query", "need" or "profile"; {read!r} came.')
        if not popularity_weight >= 0:
            raise EcomTutorError(f"A weight is at least 0; {popularity_weight!r} came.")
        self.popularity_weight, self.writer = popularity_weight, writer
        self.read, self.bf16 = read, bf16

    def _learn(self, purchases: Purchases) -> None:
        from ecomtutor.embeddings import embed

        texts = purchases.products["text"].tolist()
        place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        self.text_of = np.array([place[text] for text in texts])  # (products,)
        raw = embed(list(place), "en", bf16=self.bf16)  # (distinct texts, 384)
        self.mean = np.average(raw, axis=0, weights=np.bincount(self.text_of))
        self.text_vectors = _unit(raw - self.mean)
        prior = np.log1p(popularity(purchases))
        self.prior = (self.popularity_weight * prior / prior.max()).astype(np.float32)

    def needs(self, histories: Purchases) -> list[Need]:
        """What the model makes of each history; without a model where the profile is searched."""
        profiles = profile_texts(histories)
        if self.read == "profile":
            return [Need(profile, "", "") for profile in profiles]
        return (self.writer or write_needs)(profiles)

    def score_histories(self, histories: Purchases) -> "np.ndarray[Any, Any]":
        """Cosine of query and product, plus popularity: (households, products), float32."""
        return self.score_queries([getattr(need, self.read) for need in self.needs(histories)])

    def score_queries(self, queries: Sequence[str]) -> "np.ndarray[Any, Any]":
        """Scores of all products for any words: (queries, products). Empty ones: popularity."""
        from ecomtutor.embeddings import embed

        self.purchases  # noqa: B018 - raises before fit
        said = np.array([bool(query.strip()) for query in queries])
        vectors = _unit(embed(list(queries), "en", bf16=self.bf16) - self.mean) * said[:, None]
        scores = (vectors.astype(np.float32) @ self.text_vectors.T)[:, self.text_of]
        scores += self.prior
        return scores


@dataclass(frozen=True)
class StoreRecommendations:
    """What Pomelo Street offers a customer.

    table is that of `CatalogueSearch`: rank, product_id, title, …; need says how it came about.
    note is for the shopkeeper; "" if there is nothing to say.
    """

    need: Need
    table: "pd.DataFrame"
    note: str = ""


def recommend_from_store(
    profile: str,
    k: int = 5,
    *,
    bought: Collection[str] = (),
    language: str = "en",
    writer: Callable[[list[str]], list[Need]] | None = None,
) -> StoreRecommendations:
    """What the store has for a customer: the model writes a need, the search answers.

    Args:
        profile: what the customer bought, in English words; the model reads no other language.
        k: how many products at most.
        bought: product ids that the customer has already.
        language: of titles and reasons, "en" or "zh".
        writer: as in `LanguageModelRecommender`. Of what it writes the search words are tried
            first, then the need, then the profile: the first one that the search can read.

    Returns:
        Products of the store only; none, with a note, where no word can be searched for.
    """
    from ecomtutor.recommendation.catalogue_search import CatalogueSearch

    need = (writer or write_needs)([require_text(profile).strip()])[0]
    search = CatalogueSearch(language)
    for name in ("query", "need", "profile"):
        try:
            found = search.search(getattr(need, name), k + len(bought))
        except EcomTutorError:  # nothing in it that the shop's search could read
            continue
        table = found.table[~found.table["product_id"].isin(list(bought))].head(k)
        table = table.assign(rank=range(1, len(table) + 1)).reset_index(drop=True)
        note = "" if name == "query" else f"The search words could not be read: this is the {name}."
        return StoreRecommendations(need, table, " ".join(filter(None, (note, found.note))))
    empty = search.search("tea", 1).table.iloc[:0]
    return StoreRecommendations(need, empty, "There is no word to search for.")


def _chat(system: str, examples: Sequence[Message], asked: str, generator: "Loaded | None") -> str:
    """The prompt in the model's own chat template."""
    from ecomtutor.models import load_generator

    said = [{"role": "system", "content": system}]
    for question, answer in examples:
        said += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    said.append({"role": "user", "content": _plain(asked)})
    tokenizer = (generator or load_generator("en")).tokenizer
    prompt = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    return str(prompt)


def _plain(text: str) -> str:
    """A customer's words as words only: nothing in them can open or end a turn of the chat."""
    return re.sub(r"<\|[^|]*\|>|[<>|\n]", " ", text)[:PROFILE_CHARACTERS].strip()


def _checked(profiles: Sequence[str]) -> list[str]:
    if isinstance(profiles, str):
        raise EcomTutorError(f"A list of profiles was expected; write [{profiles!r:.40}].")
    return [require_text(profile).strip() for profile in profiles]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _unit(vectors: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: np.ndarray[Any, Any] = vectors / np.maximum(length, 1e-12)
    return unit.astype(np.float32)
