"""Checks, pairs and the policy over HTTP."""

import httpx

from app.kit.ids import new_id


async def test_a_check_without_somebody_who_is_not_there_is_404(api: httpx.AsyncClient) -> None:
    refused = await api.post("/v1/dedup/check", json={"full_name": "Ada", "exclude_id": str(new_id())})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/exclude_id"]


async def test_what_is_linked_cannot_be_less_likely_than_what_is_asked(api: httpx.AsyncClient) -> None:
    refused = await api.put("/v1/dedup/policy", json={"auto_threshold": 0.4, "review_threshold": 0.6})
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/review_threshold"]
    assert (await api.put("/v1/dedup/policy", json={"auto_threshold": 0.4})).status_code == 422
    lowered = await api.put("/v1/dedup/policy", json={"auto_threshold": 0.4, "review_threshold": 0.4})
    assert lowered.status_code == 200


async def test_a_policy_that_is_put_as_it_was_read_stays_at_its_version(api: httpx.AsyncClient) -> None:
    read = (await api.put("/v1/dedup/policy", json={"min_agreeing": 3})).json()
    assert (await api.put("/v1/dedup/policy", json=read)).json() == read


async def test_kanji_and_romaji_of_one_birth_date_and_employer_are_a_possible_pair(api: httpx.AsyncClient) -> None:
    shared = {"birth_date": "1988-04-17", "current_company": "東西精機"}
    written = {"family_name": "菅原", "given_name": "朋映", **shared}
    assert (await api.post("/v1/candidates", json=written)).status_code == 201
    latin = {"family_name_romaji": "Sugawara", "given_name_romaji": "Tomoe", **shared}
    [found] = (await api.post("/v1/dedup/check", json=latin)).json()["data"]
    verdicts = {row["feature"]: (row["verdict"], row["weight"]) for row in found["evidence"]}
    assert (found["decision"], verdicts["name"]) == ("possible", ("missing", 0))
