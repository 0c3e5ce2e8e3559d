"""The tables are what their documentation says, and the splits do not leak."""

import pandas as pd
import pytest

from ecomtutor.datasets import (
    COLUMNS,
    describe,
    journeys,
    practice,
    questions,
    raw_reviews,
    reviews,
    second_readers,
    store,
)
from ecomtutor.datasets.reviews import same_text_key, split_of, split_sha256
from ecomtutor.errors import EcomTutorError

TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
    "promotions",
)


@pytest.fixture(scope="module")
def zh() -> pd.DataFrame:
    return reviews("zh")


@pytest.fixture(scope="module")
def en() -> pd.DataFrame:
    return reviews("en")


def _table(name: str) -> pd.DataFrame:
    kind, _, part = name.partition(" ")
    if kind == "reviews":
        return reviews(part)
    if name == "store questions":
        return questions("en")
    if name == "store practice":
        return practice("en")
    if name == "store second readers":
        return second_readers("en")
    return getattr(store(), part) if kind == "store" else getattr(journeys(), name)


# Twenty million rows: its columns are checked on the schema, below.
@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "promotions"])
def test_every_documented_column_exists_and_no_other(name: str) -> None:
    assert list(_table(name).columns) == list(COLUMNS[name])


def test_promotions_as_documented_and_as_long() -> None:
    import pyarrow.parquet as parquet

    file = parquet.ParquetFile(journeys().located.path("promotions.parquet"))
    assert file.schema_arrow.names == list(COLUMNS["promotions"])
    assert file.metadata.num_rows == 20_940_529
    file.close()


def test_describe_is_a_table_of_meanings() -> None:
    described = describe("transactions")
    assert list(described.columns) == ["column", "meaning"]
    assert described["meaning"].str.len().min() > 5
    with pytest.raises(EcomTutorError, match=r"no table 'baskets'.*transactions"):
        describe("baskets")


@pytest.mark.parametrize("language", ["ZH", "fr", None])
def test_another_language_is_refused(language: str) -> None:
    with pytest.raises(EcomTutorError, match="'zh' and 'en'"):
        reviews(language)
    with pytest.raises(EcomTutorError, match="'zh' and 'en'"):
        raw_reviews(language)


def test_chinese_reviews_as_published_are_full_of_copies() -> None:
    raw = raw_reviews("zh")
    assert raw["label"].value_counts().to_dict() == {"negative": 18_575, "positive": 16_548}
    assert raw.groupby("label")["text"].nunique().to_dict() == {
        "negative": 9_078,
        "positive": 8_379,
    }
    assert (raw.groupby("text")["label"].nunique() > 1).sum() == 47


def test_clean_chinese_reviews_are_distinct(zh: pd.DataFrame) -> None:
    assert len(zh) == 17_363 == 9_078 + 8_379 - 2 * 47
    assert zh["text"].is_unique
    assert zh["label"].value_counts().to_dict() == {"negative": 9_031, "positive": 8_332}
    contradictory = raw_reviews("zh").groupby("text")["label"].nunique() > 1
    assert not zh["text"].isin(contradictory[contradictory].index).any()
    kept = raw_reviews("zh")["text"].isin(set(zh["text"]))
    assert zh["copies"].sum() == kept.sum()
    assert not zh.isna().any().any()
    assert (zh["text"] == zh["text"].str.strip()).all()


def test_english_sentences(en: pd.DataFrame) -> None:
    raw = raw_reviews("en")
    assert len(raw) == 3_708 and raw["sentence_id"].is_unique
    assert len(en) == 3_689
    assert en["label"].value_counts().to_dict() == {
        "positive": 2_113, "negative": 1_478, "neutral": 98}  # fmt: skip
    assert en["review_id"].nunique() == 300
    assert en["valence"].between(-4, 4).all()
    assert not en.isna().any().any()
    assert list(raw.columns) == ["sentence_id", "valence", "text", "label"]


def test_label_and_valence_agree(en: pd.DataFrame) -> None:
    signs = {"positive": 1, "neutral": 0, "negative": -1}
    sign = (en["valence"] > 0).astype(int) - (en["valence"] < 0).astype(int)
    assert (en["label"].map(signs) == sign).all()


@pytest.mark.parametrize(
    ("language", "sizes", "fingerprint"),
    [
        (
            "zh",
            {"train": 13_936, "validation": 1_719, "test": 1_708},
            "fdf1470c62bcf2f8aed5bc153cee2c82c4f7b48d2a13238c77a8ab780a5e89fd",
        ),
        (
            "en",
            {"train": 2_721, "validation": 497, "test": 471},
            "00216afbd4c4fed8ed85b9ab5bea84c05aa532306a6cb6a284a6712c88087463",
        ),
    ],
)
def test_the_split_never_moves(language: str, sizes: dict[str, int], fingerprint: str) -> None:
    table = reviews(language)
    assert table["split"].value_counts().to_dict() == sizes
    assert split_sha256(table) == fingerprint
    shuffled = table.sample(frac=1, random_state=0)
    assert split_sha256(shuffled) == fingerprint
    moved = table.assign(split=table["split"].replace({"test": "train"}))
    assert split_sha256(moved) != fingerprint


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_text_and_no_near_copy_is_in_two_splits(language: str) -> None:
    table = reviews(language)
    assert table["text"].is_unique
    keys = table["text"].map(same_text_key)
    assert keys.str.len().min() > 0
    assert table.groupby(keys)["split"].nunique().max() == 1


def test_sentences_of_one_review_stay_together(en: pd.DataFrame) -> None:
    assert en.groupby("review_id")["split"].nunique().max() == 1
    assert en.groupby("review_id").size().max() > 20  # so that the test above says something


@pytest.mark.parametrize(
    ("one", "other"),
    [("很好！", "很好"), ("Ｇｏｏｄ  buy", "good buy!"), ("早餐一般.", "早餐一般。"), ("3.", "3、"),
     (":)", " :) "), ("STRASSE", "straße")],
)  # fmt: skip
def test_near_copies_share_a_key(one: str, other: str) -> None:
    assert same_text_key(one) == same_text_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("很好", "不好"), (":)", ":("), ("3.", "4."), ("a", "。")]
)
def test_different_texts_do_not(one: str, other: str) -> None:
    assert same_text_key(one) != same_text_key(other)


def test_split_of_is_80_10_10() -> None:
    shares = pd.Series([split_of(str(n)) for n in range(20_000)]).value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.8, abs=0.01)
    assert shares["test"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("table", "rows"),
    zip(TABLES, (1_469_307, 92_331, 801, 6_589, 27, 116_204, 2_102), strict=False),
)
def test_journeys_have_as_many_rows_as_their_docstrings_say(table: str, rows: int) -> None:
    assert len(getattr(journeys(), table)) == rows
    docstring = getattr(type(journeys()), table).__doc__
    assert f"{rows:,}" in docstring


def test_journeys_read_each_table_once_and_say_where_they_come_from() -> None:
    assert journeys() is journeys()
    assert journeys().transactions is journeys().transactions
    assert journeys().source == journeys().located.source
    assert journeys().source in repr(journeys())


def test_transactions_have_narrow_types_and_no_holes() -> None:
    lines = journeys().transactions
    assert not lines.isna().any().any()
    assert lines.dtypes.astype(str).to_dict() == {
        "household_id": "int32",
        "store_id": "int32",
        "basket_id": "int64",
        "product_id": "int32",
        "quantity": "int32",
        "sales_value": "float64",
        "retail_disc": "float64",
        "coupon_disc": "float64",
        "coupon_match_disc": "float64",
        "week": "int8",
        "transaction_timestamp": "datetime64[ns]",
    }
    assert lines.memory_usage(deep=True).sum() < 100e6


def test_keys_are_keys() -> None:
    j = journeys()
    assert j.products["product_id"].is_unique
    assert j.demographics["household_id"].is_unique
    assert j.campaign_descriptions["campaign_id"].is_unique
    assert not j.transactions.duplicated(["basket_id", "product_id"]).any()
    baskets = j.transactions.groupby("basket_id")
    facts = baskets[["household_id", "store_id", "week", "transaction_timestamp"]].nunique()
    assert (facts == 1).all().all()
    assert (len(baskets), j.transactions["household_id"].nunique()) == (155_848, 2_469)


def test_references_lead_somewhere_except_where_documented() -> None:
    j = journeys()
    households, products = set(j.transactions["household_id"]), set(j.products["product_id"])
    known = set(j.campaign_descriptions["campaign_id"])
    for table in (j.demographics, j.campaigns, j.coupon_redemptions):
        assert set(table["household_id"]) <= households
    for table in (j.campaigns, j.coupons, j.coupon_redemptions):
        assert set(table["campaign_id"]) <= known
    sent = set(zip(j.campaigns["campaign_id"], j.campaigns["household_id"], strict=True))
    redeemed = j.coupon_redemptions
    assert set(zip(redeemed["campaign_id"], redeemed["household_id"], strict=True)) <= sent
    offered = set(zip(j.coupons["campaign_id"], j.coupons["coupon_upc"], strict=True))
    assert set(zip(redeemed["campaign_id"], redeemed["coupon_upc"], strict=True)) <= offered
    assert (~j.transactions["product_id"].isin(products)).sum() == 4_836
    assert "4,836" in COLUMNS["transactions"]["product_id"]
    assert (~j.coupons["product_id"].isin(products)).sum() == 16
    assert j.coupons.duplicated().sum() == 4_872
    assert "4,872" in COLUMNS["coupons"]["coupon_upc"]


def test_redemptions_fall_in_their_campaign() -> None:
    j = journeys()
    dated = j.coupon_redemptions.merge(j.campaign_descriptions, on="campaign_id")
    assert dated["redemption_date"].between(dated["start_date"], dated["end_date"]).all()


def test_money_and_quantities_are_never_negative() -> None:
    lines = journeys().transactions
    amounts = ["quantity", "sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"]
    assert (lines[amounts] >= 0).all().all()
    for column in ("quantity", "sales_value"):
        assert f"{(lines[column] == 0).sum():,}" in COLUMNS["transactions"][column]


def test_fuel_is_in_thousandths_of_a_gallon() -> None:
    j = journeys()
    many = j.transactions[j.transactions["quantity"] > 1_000].merge(j.products, on="product_id")
    assert set(many["product_type"]) == {"GASOLINE-REG UNLEADED"}
    dollars_a_gallon = (many["sales_value"] / (many["quantity"] / 1_000)).median()
    assert 2 < dollars_a_gallon < 3  # the price of 2017


def test_weeks_are_whole_on_the_clock_of_the_shops() -> None:
    lines = journeys().transactions
    assert (lines["week"].min(), lines["week"].max()) == (1, 53)
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    assert set(local.dt.year) == {2017}
    monday_weeks = (local.dt.dayofyear + 5) // 7 + 1  # 1 January 2017 was a Sunday
    assert (monday_weeks == lines["week"]).all()


@pytest.mark.parametrize(
    ("column", "first", "last"), [("age", "19-24", "65+"), ("income", "Under 15K", "250K+")]
)
def test_bands_are_in_their_natural_order(column: str, first: str, last: str) -> None:
    bands = journeys().demographics[column]
    assert bands.cat.ordered
    assert (bands.min(), bands.max()) == (first, last)
    assert not bands.isna().any()  # a band that `_ORDERED` forgot would be empty


def test_empty_cells_are_where_the_columns_say() -> None:
    j = journeys()
    for table in ("products", "demographics"):
        missing = getattr(j, table).isna().sum()
        empty = set(missing[missing > 0].index)
        documented = {name for name, text in COLUMNS[table].items() if "empty" in text}
        assert empty == documented
