"""Where models and data come from: the catalogue, and how a resource is fetched and verified.

located = resources.fetch("minilm")    # downloads once; at once when it is there
located.folder, located.source         # where it lies, and where it came from
"""

from ecomtutor.resources.cache import Located, cache_dir, find, locate
from ecomtutor.resources.catalogue import (
    CATALOGUE,
    Archive,
    Member,
    Resource,
    defaults,
    resource_named,
)
from ecomtutor.resources.fetch import fetch

__all__ = [
    "CATALOGUE",
    "Archive",
    "Located",
    "Member",
    "Resource",
    "cache_dir",
    "defaults",
    "fetch",
    "find",
    "locate",
    "resource_named",
]
