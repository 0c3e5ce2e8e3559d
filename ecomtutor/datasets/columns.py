"""What each column of each table means, with its unit. A test holds the tables against this."""

from typing import TYPE_CHECKING

from ecomtutor.errors import EcomTutorError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: dict[str, dict[str, str]] = {
    "reviews zh": {
        "text": "the review, as its writer typed it",
        "label": "negative or positive, as published with the data",
        "copies": "how many identical lines the published file has (a count)",
        "split": "train (80 %), validation (10 %) or test (10 %); no text is in two of them",
    },
    "reviews en": {
        "text": "one sentence of a product review, in lower case as published",
        "valence": "mean of twenty human ratings, -4 (very negative) to +4 (very positive)",
        "label": "negative, neutral or positive: the sign of the valence",
        "review_id": "the review that the sentence belongs to",
        "split": "train, validation or test; all sentences of a review are in the same one",
    },
    "transactions": {
        "household_id": "the household that bought",
        "store_id": "the store where it bought",
        "basket_id": "one visit to the till",
        "product_id": "the product, see products; 4,836 lines name products that are not there",
        "quantity": "units bought (fuel is counted in thousandths of a gallon); 0 in 8,869 lines",
        "sales_value": "what the retailer received for the line, in US dollars; 0 in 11,226 lines",
        "retail_disc": "discount of the retailer's loyalty card, in US dollars",
        "coupon_disc": "discount of a manufacturer's coupon, in US dollars",
        "coupon_match_disc": "the retailer's own match of that coupon, in US dollars",
        "week": "week of the year 2017, 1 to 53, Monday to Sunday; week 1 is one Sunday",
        "transaction_timestamp": "date and time of the purchase; it reads as UTC: five hours (four "
        "in summer) ahead of the shops' clock, on which the weeks are counted",
    },
    "products": {
        "product_id": "the product",
        "manufacturer_id": "its maker",
        "department": "the largest grouping, for example GROCERY",
        "brand": "National (a maker's brand) or Private (the retailer's own)",
        "product_category": "grouping within the department; empty for a few hundred products",
        "product_type": "the smallest grouping; empty for a few hundred products",
        "package_size": "size as printed, unit included; often empty",
    },
    "demographics": {
        "household_id": "the household; only 801 of the 2,469 gave demographics",
        "age": "age of the head of the household, in bands of years",
        "income": "yearly income, in bands of thousand US dollars",
        "home_ownership": "owner, renter and so on; empty for 233 households",
        "marital_status": "married or not; empty for 137 households",
        "household_size": "number of persons, 5+ at the top",
        "household_comp": "composition: adults and children",
        "kids_count": "number of children, 3+ at the top",
    },
    "campaigns": {
        "campaign_id": "the campaign",
        "household_id": "a household that received it",
    },
    "campaign_descriptions": {
        "campaign_id": "the campaign",
        "campaign_type": "Type A (coupons chosen for each household), B or C (same for all)",
        "start_date": "first day on which its coupons are valid",
        "end_date": "last day on which its coupons are valid",
    },
    "coupons": {
        "coupon_upc": "the coupon; 4,872 rows are exact copies of another one",
        "product_id": "a product that it may be used for; 16 rows name one not in products",
        "campaign_id": "the campaign that sent it",
    },
    "coupon_redemptions": {
        "household_id": "the household that redeemed",
        "coupon_upc": "the coupon",
        "campaign_id": "the campaign",
        "redemption_date": "the day",
    },
    "promotions": {
        "product_id": "the product",
        "store_id": "the store",
        "display_location": "where it was displayed: 0 not on display, 1 store front, "
        "2 store rear, 3 front end cap, 4 mid-aisle end cap, 5 rear end cap, 6 side-aisle end cap, "
        "7 in aisle, 9 secondary display, A in shelf",
        "mailer_location": "where the weekly leaflet showed it: 0 not in it, A inside feature, "
        "C inside line, D front page, F back page, H wrap front, J wrap coupon, L wrap back, "
        "P inside coupon, X free inside, Z free on a cover",
        "week": "week of the year 2017",
    },
    "store products": {
        "id": "the product: three letters for the category and a number",
        "category": "one of twelve categories",
        "merchant": "who sells it",
        "brand": "its brand; all brands are invented",
        "title_en": "title in English",
        "title_zh": "title in Chinese",
        "description_en": "the merchant's text in English",
        "description_zh": "the merchant's text in Chinese",
        "attributes_en": "attribute → value, in English",
        "attributes_zh": "the same attributes, in the same order, in Chinese",
        "price_cny": "price in yuan (CNY)",
        "stock": "units in the warehouse; 0 is sold out",
    },
    "store policies": {
        "id": "the policy",
        "topic": "its theme, for example coupons or returns",
        "title_en": "title in English",
        "title_zh": "title in Chinese",
        "text_en": "the passage in English, 80 to 250 words",
        "text_zh": "the passage in Chinese, 80 to 250 words (as jieba cuts them)",
        "updated": "day on which the shop last changed it",
    },
    "store questions": {
        "id": "the question: language, passage and a number",
        "passage_id": "the passage that it was asked about, see passages()",
        "question": "what the customer wrote, misspellings included",
        "answers": "spans of the passage that answer it, the best first; none if unanswerable",
        "starts": "the character of the passage at which each answer starts, counted from 0",
        "answerable": "whether the passage answers it; a third of the questions it does not",
        "plausible": "for unanswerable questions, spans that a careless reader would give",
        "style": "plain, short, story, colloquial, typo, indirect, mixed (scripts) or keywords",
        "split": "train, validation or test: that of the passage",
        "kind": "policy or product: what kind of passage it is",
    },
    "store practice": {
        "id": "the question: language, passage and a number",
        "passage_id": "a training passage of the shop, or else-…: one of another shop",
        "title": "the passage's title",
        "text": "the passage",
        "question": "what the customer wrote, misspellings included",
        "answers": "spans of the passage that answer it, the best first; none if unanswerable",
        "starts": "the character of the passage at which each answer starts, counted from 0",
        "answerable": "whether the passage answers it; a third of the questions it does not",
    },
    "store second readers": {
        "id": "a validation or test question, see questions()",
        "first": "what one further reader answered, word for word; empty where it found nothing",
        "second": "what another further reader answered",
    },
}


def describe(table: str) -> "pd.DataFrame":
    """The columns of a table and what they mean, as a table with one row a column.

    Args:
        table: a key of `COLUMNS`, for example "reviews zh" or "transactions".
    """
    import pandas as pd

    if table not in COLUMNS:
        raise EcomTutorError(f"There is no table {table!r}. There are: {', '.join(COLUMNS)}.")
    meanings = COLUMNS[table]
    return pd.DataFrame({"column": list(meanings), "meaning": list(meanings.values())})
