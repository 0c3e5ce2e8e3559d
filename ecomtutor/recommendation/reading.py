"""Reading a need step by step: numbers first, then what is ruled out, then what is asked for."""

from dataclasses import replace

import regex

from ecomtutor.recommendation.claims import CLAUSE_END
from ecomtutor.recommendation.limits import (
    COLOURS,
    CONCEPTS,
    ColourLimit,
    FeatureLimit,
    Limit,
    WordLimit,
    stem_pattern,
)
from ecomtutor.recommendation.quantities import Quantities
from ecomtutor.recommendation.vocabulary import FEATURES, pages, value_patterns, value_words


class Reading(Quantities):
    """One pass over a need: `read`, then `limits`, `parts` and `query` hold what was understood."""

    def read(self) -> None:
        for step in (
            self._foreign_money, self._ratings, self._sizes, self._sets, self._quantities,
            self._cheap, self._left_open, self._ruled_out, self._ruled_out_behind, self._colours,
            self._features, self._wishes, self._fillers,
        ):  # fmt: skip
            step()

    def _left_open(self) -> None:
        """颜色不限, 不一定要白色, any colour, white is fine too: no limit."""
        patterns = (
            r"(?:颜色|品牌|牌子|价格|预算|款式|款|牌|产地)(?:都)?(?:不限|无所谓|随便|随意|都行|都可以|不要紧|不重要)",
            r"(?:不一定要?|不必|不非要|不非得)[^,，。;；!！?？]{1,12}",
            r"(?:没有)?[^,，。;；!！?？\s]{1,6}?(?:也行|也可以|也不是不行|也没关系|也能接受)",
            r"\bany (?:colou?r|brand|price|size)\b",
            r"(?:colou?r|brand|price) (?:does not|doesn'?t) matter",
            r"(?:don'?t|do not) (?:care|mind)(?: about| which)?(?: the)? [a-z]+",
            r"\bnot (?:necessarily|only|just|fussy|bothered|sure)(?: \w+){0,3}",
        )
        for pattern in patterns:
            for match in list(self._finds(pattern)):
                self.claim(match.start(), match.end(), "left out", "open")
        vague = r"\p{Han}{0,2}(?:别|不要|不用|不)太\p{Han}{1,2}|\bnot (?:too|so|very) [a-z]+"
        for match in list(self._finds(vague)):
            self.claim(match.start(), match.end(), "left out", "vague")

    def _ruled_out(self) -> None:
        """不要白色, not white or cream, without fragrance, 除了…, sugar-free."""
        pattern = (
            r"(?P<zh>不要有?|不想要|不想买|不需要|别要|别买|别给我?|别是|不能有|不能是|不含|不带|"
            r"不加|不喜欢|不是|(?<!有)没有|除了|排除|拒绝|讨厌|避免|去掉|不爱)"
            r"|(?P<en>\b(?:not|no|nor|without|w/o|except(?: for)?|excluding|other than|"
            r"allerg(?:ic|y) to|intolerant (?:to|of)|anything but|avoid|don'?t want|do not want|"
            r"doesn'?t|does not|isn'?t|aren'?t|don'?t like|hate|never)\b"
            r"(?!\s+(?:more|less|over|under|above|below|later|idea|problem|matter)\b))"
        )
        for match in list(self._finds(pattern)):
            if not self._is_free(match.start(), match.end()):
                continue
            stop = self._scope(match.end(), chinese=bool(match["zh"]))
            if stop > match.end():
                self._rule_out(match.start(), match.end(), stop, chinese=bool(match["zh"]))
        for match in list(self._finds(r"\b([a-z]{3,})-free\b")):
            self.limits.append(WordLimit(match[1], wanted=False, strict=True))
            self.claim(match.start(), match.end(), "wish")
        nothing = r"无(?P<w>\p{Han}{1,4}?)(?=的|[,，。]|$|\p{Han}{2}(?:[,，。]|$))"
        for match in list(self._finds(nothing)):
            if match["w"] in value_words() or match["w"] in ("香精", "硅油", "酒精", "糖"):
                self.limits.append(WordLimit(match["w"], wanted=False, strict=True))
                self.claim(match.start(), match.end(), "wish")

    def _scope(self, start: int, chinese: bool) -> int:
        """Where a negation ends: at the clause's end, at what is claimed, at a turn of thought."""
        turn = (
            r"[,，。;；!！?？—\n]|但|而是|要(?!求)|最好|想|只要|就行|谢谢|请|都|[以之]外"
            if chinese
            else r"[,，。;；!！?？.—\n]|\b(?:but|with|for|please|that|which|because|if|only|just|"
            r"must|should|need|costing|in|at|and (?:under|below|at|with|not|no))\b"
        )
        start += len(regex.match(r"(?:\s*for\s)?", self.lower[start:])[0])
        match = regex.search(turn, self.lower[start:])
        stop = start + match.start() if match else len(self.lower)
        behind = regex.search("的", self.lower[start:stop]) if chinese else None
        if behind:  # 不含花生的油: the oil is wanted
            return self._listed(start + behind.end(), stop)
        taken = [part.start for part in self.claimed if start <= part.start < stop]
        stop = min([stop, *taken])
        listed = regex.match(r"\s*[,，]\s*", self.lower[stop:])
        if listed and not chinese and self._colour_list(start, stop):
            return self._scope(stop + listed.end(), chinese)
        return stop

    def _listed(self, end: int, stop: int) -> int:
        """Where 白色的、黑色的 ends: further things with 的 that a page knows are ruled out too."""
        more = regex.match(r"\s*(?:、|和|或者?|以及)\s*(\p{Han}{1,4}?)的", self.lower[end:])
        while more and _ruled_out(more[1]):
            end += more.end()
            more = regex.match(r"\s*(?:、|和|或者?|以及)\s*(\p{Han}{1,4}?)的", self.lower[end:])
        return min(end, max(stop, end))

    def _colour_list(self, start: int, stop: int) -> bool:
        """Not white, cream or beige: the comma goes on with the list."""
        after = regex.match(r"\s*,\s*(?:or |nor )?([a-z]+)", self.lower[stop:])
        return bool(after and _colour(after[1]) and _colour(self.lower[start:stop].strip()))

    def _rule_out(self, start: int, begin: int, stop: int, chinese: bool) -> None:
        """Each item of a negation becomes a limit; what no page says is left out."""
        scope = self.lower[begin:stop]
        if chinese and regex.match(r"不(?!锈)", scope):  # 不要不防水的
            self.claim(start, begin + 1, "filler")
            return
        doing = regex.match(r"without|no\b|w/o", self.lower[start:begin])
        joint = r"和|或者?|、|以及|,|\bor\b|\band\b|\bnor\b|/"
        edges = [0, *(edge for m in regex.finditer(joint, scope) for edge in m.span()), len(scope)]
        items = list(zip(edges[::2], edges[1::2], strict=True))
        read = [_ruled_out(scope[a:b]) for a, b in items]
        for (a, b), limit in zip(items, read, strict=True):
            if isinstance(limit, WordLimit) and not doing:
                limit = replace(limit, strict=True)
            if limit:
                self.limits.append(limit)
            elif any(read) and regex.search(r"\w", scope[a:b]):
                self.claim(begin + a, begin + b, "left out", "unknown word")
        self.claim(start, stop, *(("limit", "") if any(read) else ("left out", "unknown word")))

    def _ruled_out_behind(self) -> None:
        """黑色的不要, 白色除外, 对花生过敏."""
        pattern = (
            r"对?(?P<w>\p{Han}{1,4}?)的?(?:就|都|我)?"
            r"(?:不要|除外|不行|不考虑|就算了|免谈|以外|过敏)"
        )
        for match in list(self._finds(pattern)):
            limit = _ruled_out(match["w"])
            if limit:
                self._limit(limit, match.start(), match.end())

    def _colours(self) -> None:
        """A colour asked for; not in "green tea" or "red fuji", which are names."""
        for colour, (latin, han) in COLOURS.items():
            shade = r"(?:(?:light|dark|pale|deep|bright|off)[ -])?"
            for match in list(self._finds(rf"\b{shade}(?:{latin})\b(?!-)")):
                if not self._is_name(match.start(), match.end()):
                    self._colour_limit(colour, match.start(), match.end())
            named = rf"[深浅墨暗亮米]?(?:{han})色(?:的|款)?"
            pattern = rf"{named}|(?<!\p{{Han}})(?:{han})的|(?<=[要买是好])(?:{han})的"
            for match in list(self._finds(pattern)):
                self._colour_limit(colour, match.start(), match.end())

    def _colour_limit(self, colour: str, start: int, end: int) -> None:
        clause = regex.split(CLAUSE_END, self.lower[:start])[-1]
        soft = regex.search(r"最好|优先|尽量|prefer|ideally|would be nice", clause)
        self._limit(ColourLimit((colour,), strict=not soft), start, end)

    def _is_name(self, start: int, end: int) -> bool:
        """Whether a colour and its neighbour stand together in a title."""
        after = regex.match(r"[\s-]+([a-z]+)", self.lower[end:])
        before = regex.search(r"([a-z]+)[\s-]+$", self.lower[:start])
        word = self.lower[start:end]
        pairs = [rf"\b{word}[\s-]+{after[1]}"] if after else []
        pairs += [rf"\b{before[1]}[\s-]+{word}\b"] if before and len(before[1]) > 3 else []
        titles = (page.lines[0] for page in pages())
        return any(regex.search(pair, title) for title in titles for pair in pairs)

    def _features(self) -> None:
        """Dishwasher safe, 电磁炉: attributes that are yes or no."""
        for attribute, pattern in FEATURES.items():
            for match in list(self._finds(rf"(?<![a-z])(?:{pattern})(?![a-z])")):
                self.limits.append(FeatureLimit(attribute))
                self.claim(match.start(), match.end(), "wish")
                break

    def _wishes(self) -> None:
        """Words of attribute values: pages that say them come first; "must" makes them limits."""
        must = r"必须|一定要|只要|务必|\bmust\b|\bonly\b"
        for pattern in value_patterns():
            for match in pattern.finditer(self.lower):
                if self._is_free(match.start(), match.end()):
                    clause = regex.split(CLAUSE_END, self.lower[: match.start()])[-1]
                    strict = bool(regex.search(must, clause))
                    self.limits.append(WordLimit(match["word"], strict=strict))
                    self.claim(match.start(), match.end(), "wish")
        for name, (asked, _) in CONCEPTS.items():
            whole = r"(?<![a-z])(?:" + asked + r")(?![a-z])"
            if name not in ("fragrance", "spicy", "sour"):
                for match in list(self._finds(whole)):
                    self.limits.append(WordLimit(match[0].removesuffix("的")))
                    self.claim(match.start(), match.end(), "wish")

    def _cheap(self) -> None:
        pattern = (
            r"便宜(?:点|一点)?(?:的)?|实惠(?:的)?|平价(?:的)?|性价比高?(?:的)?|别太贵(?:的)?|不(?:要)?太?贵(?:的)?"
            r"|\b(?:cheap(?:er|est)?|affordable|inexpensive|low-?cost|(?:not )?too expensive)\b"
        )
        for match in list(self._finds(pattern)):
            self.cheap = True
            self.claim(match.start(), match.end(), "limit")

    def _fillers(self) -> None:
        pattern = (
            r"我?(?:想要?|需要|打算|准备|正在)(?:买|找|购买|入手|看看|挑)?(?=\p{Han})|帮(?:我|忙)(?:找|选|挑|推荐)?|"
            r"(?:给我)?推荐(?:一下)?|请问?|有没有|有什么|谢谢|麻烦|吗|呢|吧|"
            r"[一几两](?:款|个|台|双|件|条|部|只|本|把|瓶|盒|点|些)(?=\p{Han})|"
            r"最好(?:是|要)?|优先|但是?|而且|或者?|(?:能|可以)(?:用)?的|我要|要(?=\p{Han})"
            r"|\b(?:i(?:'m| am)? (?:looking|searching) for|"
            r"i(?:'d| would)? (?:like|want|need)(?: to (?:buy|find|get))?|"
            r"looking for|can you|could you|recommend|show me|find me|please|thanks?|thank you|"
            r"some|but|do you have|i want|costs?|priced|which|something)\b"
        )
        for match in list(self._finds(pattern)):
            self.claim(match.start(), match.end(), "filler")


def _colour(words: str) -> str | None:
    """The colour that a word or two name, or None."""
    words = words.strip()
    for colour, (latin, han) in COLOURS.items():
        if regex.fullmatch(rf"(?:\w+ )?(?:{latin})", words):
            return colour
        if regex.fullmatch(rf"\p{{Han}}?(?:{han})色?", words) and not regex.search("[a-z]", words):
            return colour
    return None


def _ruled_out(item: str) -> Limit | None:
    """The limit that a ruled-out thing makes, or None if no page says such a thing."""
    trim = (
        r"^(?:\s|the|a|an|any|too|太|made of|of|for|have|has|be|是|有|用|to|it|in|含)+"
        r"(?=\s|\p{Han})"
        r"|\s*(?:ones?|things?|stuff|please|colou?red|colou?r)$|[的款类型质]+$"
    )
    words = item.strip(" .!?~“”\"'")
    for _ in range(2):
        words = regex.sub(trim, "", words).strip()
    if not words or len(words) > 24:
        return None
    colour = _colour(words)
    if colour:
        return ColourLimit((colour,), wanted=False)
    for attribute, pattern in FEATURES.items():
        if regex.fullmatch(pattern, words):
            return FeatureLimit(attribute, wanted=False)
    if any(regex.fullmatch(asked, words) for asked, _ in CONCEPTS.values()):
        return WordLimit(words, wanted=False, strict=True)
    told = _told(words)
    if told:
        return WordLimit(told, wanted=False, strict=True)
    limit = WordLimit(words, wanted=False, strict=True)
    said = any(limit.verdict(page, "en").met is not None for page in pages())
    # "Without washing" is what the shopper will do, not what the product is: no rule, a wish.
    doing = regex.fullmatch(r"[a-z]{3,}ing", words)
    return replace(limit, strict=not doing) if said else None


def _told(words: str) -> str | None:
    """The value word that a phrase begins with, unless a page says the whole phrase."""
    said = any(regex.search(stem_pattern(words), line) for page in pages() for line in page.lines)
    if said:
        return None
    inside = [match["word"] for pattern in value_patterns() for match in pattern.finditer(words)]
    return max(inside, key=len) if inside else None
