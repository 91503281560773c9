"""A tenant of any size, loaded by sets: people as the doors would have filed them, with all that lists look at.

What a name, a company or a skill is filed under is computed by the product, once for each distinct word; the database
combines the words to people. Indexes are made after the rows, which is why the database must be the benchmark's own.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from app.candidates.terms import filter_term
from app.demo.names import COMPANIES, GIVEN_NAMES, SKILLS, SURNAMES, triples
from app.kit.ids import new_id
from app.normalise.romaji import romaji_key
from app.normalise.search import text_terms

MADE_OF: Final = (
    "山 ヤマ|川 カワ|田 タ|中 ナカ|木 キ|村 ムラ|原 ハラ|井 イ|野 ノ|島 シマ|谷 タニ|沢 サワ|崎 サキ|橋 ハシ|池 イケ"
    "|森 モリ|松 マツ|竹 タケ|杉 スギ|桜 サクラ|藤 フジ|菊 キク|石 イシ|岩 イワ|水 ミズ|金 カネ|黒 クロ|白 シロ|赤 アカ"
    "|青 アオ|東 ヒガシ|西 ニシ|南 ミナミ|北 キタ|上 ウエ|下 シタ|前 マエ|後 ゴ|大 オオ|小 コ|高 タカ|長 ナガ|古 フル"
    "|新 ニイ"
)
CALLED: Final = (
    "美 ミ|千 チ|由 ユ|明 アキ|真 マサ|和 カズ|智 トモ|裕 ヒロ|正 マサ|義 ヨシ|光 ミツ|春 ハル|夏 ナツ|秋 アキ|雪 ユキ"
)
ENDINGS: Final = "子 コ|香 カ|美 ミ|恵 エ|奈 ナ|郎 ロウ|樹 キ|介 スケ|平 ヘイ|斗 ト|也 ヤ|治 ハル|人 ト|男 オ|一 イチ"
CITIES: Final = ("東京", "大阪", "名古屋", "福岡", "札幌", "横浜", "神戸", "京都", "仙台", "広島")
TAGS: Final = 200
COMMON: Final = 0.6
"""The share of people who have one of the best-known names."""
PREPARED: Final = """
set statement_timeout = 0; set synchronous_commit = off; set maintenance_work_mem = '512MB'; set work_mem = '256MB'
"""
INDEXED: Final = ("candidates", "identifiers", "terms", "scores", "consents", "counted", "touchpoints")


@dataclass(frozen=True)
class Population:
    """Who was loaded: the tenant, and its pool."""

    tenant_id: UUID
    pool_id: UUID
    people: int


async def find(connection: asyncpg.Connection) -> Population | None:
    """Return the largest tenant that was loaded before, None where there is none."""
    row = await connection.fetchrow(
        """select p.tenant_id, p.id as pool_id, count(*) as people
           from pools p join counted c on c.tenant_id = p.tenant_id where p.key = 'bench'
           group by p.tenant_id, p.id order by people desc limit 1"""
    )
    return Population(**row) if row else None


async def load(connection: asyncpg.Connection, tenants: Sequence[tuple[UUID, int]], seed: int = 7) -> list[Population]:
    """Fill these tenants with so many people each; `connection` is one that no policy holds."""
    await connection.execute(PREPARED)
    await _parts(connection, random.Random(seed))
    indexes = await _drop_indexes(connection)
    found = [await _people(connection, tenant_id, people) for tenant_id, people in tenants]
    for statement in indexes:
        await connection.execute(statement)
    await connection.execute(f"vacuum analyze pool_members, facet_counts, contents, {', '.join(INDEXED)}")
    return found


def _names(listed: str, first: str, second: str) -> list[tuple[str, str]]:
    known = [(kanji, kana) for kanji, kana, _ in triples(listed)]
    made = {
        (a.split()[0] + b.split()[0]): a.split()[1] + b.split()[1] for a in first.split("|") for b in second.split("|")
    }
    return [*known, *((kanji, kana) for kanji, kana in made.items() if kanji not in dict(known))]


async def _parts(connection: asyncpg.Connection, draw: random.Random) -> None:
    """Write the words that people are made of, the frequent ones as often as they are frequent."""
    await connection.execute("""
        create temp table part_names (kind text, n int, kanji text, kana text, key text);
        create temp table part_words (kind text, n int, value text, terms text[])""")
    names: list[tuple[Any, ...]] = []
    for kind, pool in (
        ("family", _names(SURNAMES, MADE_OF, MADE_OF)),
        ("given", _names(GIVEN_NAMES, CALLED, ENDINGS)),
    ):
        common = len(triples(SURNAMES if kind == "family" else GIVEN_NAMES))
        weights = [COMMON / (n + 4) for n in range(common)] + [0.002] * (len(pool) - common)
        names += [
            (kind, n, kanji, kana, romaji_key(kana))
            for n, (kanji, kana) in enumerate(draw.choices(pool, weights, k=5000))
        ]
    await connection.copy_records_to_table("part_names", records=names)
    companies = [f"{name}{suffix}" for name in COMPANIES for suffix in ("", "東日本", "西日本", "ホールディングス")]
    words: list[tuple[str, str, str]] = [
        *(("company", each, "company") for each in companies),
        *(("skill", each, "skill") for each in SKILLS),
        *(("tag", f"tag-{n}", "tag") for n in range(TAGS)),
        *(("city", each, "city") for each in CITIES),
    ]
    rows, places = [], dict[str, int]()
    for kind, value, filed in words:
        places[kind] = places.get(kind, -1) + 1
        rows.append((kind, places[kind], value, sorted(_filed(kind, value, filed))))
    await connection.copy_records_to_table("part_words", records=rows)
    await connection.execute("create index on part_names (kind, n); create index on part_words (kind, n); analyze")


def _filed(kind: str, value: str, name: str) -> Iterable[str]:
    searched = text_terms(value) if kind in ("company", "skill") else set[str]()
    return searched | {filter_term(name, value)}


async def _drop_indexes(connection: asyncpg.Connection) -> list[str]:
    """Drop what would be kept up row by row; return the statements that make it again."""
    rows = await connection.fetch(
        """select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made,
             c.conname, pg_get_constraintdef(c.oid) as said, i.indrelid::regclass::text as table_name
           from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
           where i.indrelid::regclass::text = any($1) and not exists (
             select from pg_constraint f where f.contype = 'f' and f.conindid = i.indexrelid)""",
        list(INDEXED),
    )
    for row in rows:
        await connection.execute(
            f"alter table {row['table_name']} drop constraint {row['conname']}"
            if row["conname"]
            else f"drop index {row['name']}"
        )
    return [
        f"alter table {row['table_name']} add constraint {row['conname']} {row['said']}"
        if row["conname"]
        else row["made"]
        for row in rows
    ]


PEOPLE: Final = """
create temp table made on commit drop as
select x.n, uuidv7(-((%(people)s - x.n) * interval '1 minute')) as id, f.kanji as family, f.kana as family_kana,
  f.key as family_key, g.kanji as given, g.kana as given_kana, g.key as given_key, c.value as company,
  array[s1.value, s2.value] as skills, array[t1.value, t2.value] as tags, l.value as city,
  array['o:event', 'n:' || right(f.kanji, 1) || left(g.kanji, 1), 'n:' || right(g.kanji, 1),
    'w:' || f.key || g.key, 'w:' || g.key || f.key, 'w:' || f.key, 'w:' || g.key] ||
    array(select 'n:' || substr(f.kanji, i, 2) from generate_series(1, length(f.kanji) - 1) i) ||
    array(select 'n:' || substr(g.kanji, i, 2) from generate_series(1, length(g.kanji) - 1) i) ||
    c.terms || s1.terms || s2.terms || t1.terms || t2.terms || l.terms as terms, x.fit, x.interest,
  case when x.fit + x.interest >= 50 then 'hot' when x.fit + x.interest >= 20 then 'warm' else 'cold' end as tier
from (select n, n %% 3 * 5.0 as fit, (1 + (hashint8(n + 77) & 1023)) / 20.0 as interest
  from generate_series(1, %(people)s) n) x
join part_names f on f.kind = 'family' and f.n = (hashint8(x.n * 3) & 2147483647) %% 5000
join part_names g on g.kind = 'given' and g.n = (hashint8(x.n * 5 + 1) & 2147483647) %% 5000
join part_words c on c.kind = 'company' and c.n = (hashint8(x.n * 7 + 2) & 2147483647) %% 48
join part_words s1 on s1.kind = 'skill' and s1.n = (hashint8(x.n * 11 + 3) & 2147483647) %% 20
join part_words s2 on s2.kind = 'skill' and s2.n = (hashint8(x.n * 13 + 4) & 2147483647) %% 20
join part_words t1 on t1.kind = 'tag' and t1.n = floor(sqrt((hashint8(x.n * 17 + 5) & 2147483647) %% 40000))
join part_words t2 on t2.kind = 'tag' and t2.n = (hashint8(x.n * 19 + 6) & 2147483647) %% 200
join part_words l on l.kind = 'city' and l.n = (hashint8(x.n * 23 + 7) & 2147483647) %% 10
order by x.n
"""
ROWS: Final = """
insert into candidates (tenant_id, id, full_name, full_name_kana, family_name, given_name, family_name_kana,
  given_name_kana, birth_date, language, email_addresses, current_company, location, skills, years_of_experience, tags,
  sources, last_interaction_at, retention_expires_on, retention_basis, created_at, updated_at)
select '%(tenant)s', id, family || ' ' || given, family_kana || ' ' || given_kana, family, given, family_kana,
  given_kana,  date '1960-01-01' + n %% 16000, 'ja',
  jsonb_build_array(jsonb_build_object('value', 'p' || n || '@example.com', 'raw', 'p' || n || '@example.com',
    'type', 'personal', 'is_primary', true)),
  company, jsonb_build_object('country_code', 'JP', 'region', null, 'city', city),
  jsonb_build_array(jsonb_build_object('name', skills[1], 'level', 1 + n %% 5, 'years', n %% 15),
    jsonb_build_object('name', skills[2], 'level', null, 'years', null)),
  case when n %% 4 > 0 then n %% 30 end, to_jsonb(tags),
  jsonb_build_array(jsonb_build_object('type', 'event', 'name', 'Tech Night', 'occurred_on', null, 'detail', null)),
  case when n %% 3 = 0 then now() - n %% 500 * interval '1 day' end, current_date + 1000, 'consent',
  uuid_extract_timestamp(id), uuid_extract_timestamp(id)
from made order by n;
insert into identifiers (tenant_id, id, candidate_id, record_id, kind, value, raw, value_hash, type, is_primary)
select '%(tenant)s', uuidv7(), id, id, 'email', 'p' || n || '@example.com', 'p' || n || '@example.com',
  sha256(('%(tenant)s' || n)::bytea), 'personal', true from made order by n;
insert into consents (tenant_id, id, candidate_id, arrived_with, purpose, channel, status, basis, actor, obtained_at)
select '%(tenant)s', uuidv7(), id, id, 'recruiting', 'email', 'granted', 'consent', 'bench', uuid_extract_timestamp(id)
from made where n %% 5 > 0 order by n;
insert into scores (tenant_id, model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key,
  tier, computed_at)
select '%(tenant)s', 'default', 1, id, fit, interest, now(), 30,
  1 + ln(interest) / ln(2) + extract(epoch from now()) / 86400 / 30, tier, now() from made order by id;
insert into terms (tenant_id, term, candidate_id)
select '%(tenant)s'::uuid, term, id from made, lateral (select distinct unnest(terms)) as t(term);
insert into pool_members (tenant_id, pool_id, candidate_id, by)
select '%(tenant)s', '%(pool)s', id, 'criteria' from made where n %% 50 = 0;
insert into touchpoints (tenant_id, id, candidate_id, arrived_with, type, occurred_at, source, external_id, topics,
  data, actor, actor_rule_version)
select '%(tenant)s', uuidv7(), id, id, type, now() - (n + 37 * place) %% 200 * interval '1 day', 'mailing',
  n || ':' || place, '{cloud}', jsonb_build_object('url', 'https://example.com/' || n %% 50), 'human', 1
from made, unnest(array['email_opened', 'email_clicked', 'event_attended', 'page_viewed'])
  with ordinality as t(type, place) where n %% 5 = 0 order by n;
insert into contents (tenant_id, id, key, kind, title, url, topics)
select '%(tenant)s', uuidv7(), 'item-' || n, 'article', 'Item ' || n, 'https://example.com/' || n, '{cloud}'
from generate_series(1, 20) n;
create temp table held on commit drop as
select id, array_agg(distinct field || e'\\t' || value) as pairs from (
  select id, 'tags' as field, unnest(tags) as value from made
  union all select id, 'skills.name', unnest(skills) from made
  union all select id, 'sources.type', 'event' from made
  union all select id, 'current_company', company from made
  union all select id, 'location.city', city from made
  union all select id, 'score.tier', tier from made
) as known group by id;
insert into counted (tenant_id, candidate_id, held)
select '%(tenant)s', id, (select jsonb_agg(jsonb_build_array(split_part(pair, e'\\t', 1), split_part(pair, e'\\t', 2)))
  from unnest(pairs) as pair) from held;
insert into facet_counts (tenant_id, field, value, people)
select '%(tenant)s', split_part(pair, e'\\t', 1), split_part(pair, e'\\t', 2), count(*)
from held, unnest(pairs) as pair group by 2, 3
"""
POOL: Final = """
insert into pools (tenant_id, id, key, name, criteria, score_model, channel, purpose, owner)
values ($1, $2, 'bench', 'Bench', '{"all": [{"field": "years_of_experience", "op": "gte", "value": 3}]}', 'default',
  'email', 'recruiting', null)
"""


async def _people(connection: asyncpg.Connection, tenant_id: UUID, people: int) -> Population:
    pool_id = new_id()
    values = {"people": people, "tenant": tenant_id, "pool": pool_id}
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")  # foreign keys hold by construction
        await connection.execute(PEOPLE % values)
        await connection.execute(POOL, tenant_id, pool_id)
        await connection.execute(ROWS % values)
    return Population(tenant_id, pool_id, people)
