"""Templates, sequences, enrollments and messages over HTTP."""

from typing import Any

import pytest

from app.kit.ids import new_id
from tests.sequences.conftest import BODY, SENDER, World


async def test_a_template_has_revisions_under_its_etag(world: World) -> None:
    body = {"key": "thanks", "subject": "s", "body": BODY}
    made = await world.api.post("/v1/templates", json=body)
    assert (made.status_code, made.headers["ETag"]) == (201, '"v1"')
    first = made.json()
    assert made.headers["Location"] == f"/v1/templates/{first['id']}"
    assert (first["revision"], first["format"], first["name"], first["text"]) == (1, "html", "thanks", None)
    put = await world.api.put(made.headers["Location"], json={**first, "subject": "t"}, headers={"If-Match": '"v1"'})
    assert (put.json()["revision"], put.json()["version"], put.json()["subject"]) == (2, 2, "t")
    stale = await world.api.put(made.headers["Location"], json=body, headers={"If-Match": '"v1"'})
    assert stale.status_code == 412
    taken = await world.api.post("/v1/templates", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "key_taken")
    assert [each["id"] for each in (await world.get("/v1/templates"))["data"]] == [first["id"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{% for i in (1..20000) %}x{% endfor %}", "template_limit"),
        ("{% include 'x' %}", "template_limit"),
        ("x" * (256 * 1024 + 1), "template_limit"),
        ("{% if %}", "template_invalid"),
        ("<mjml><mj-body>", "template_invalid"),
    ],
)
async def test_what_can_never_be_rendered_is_refused_when_it_is_written(world: World, body: str, code: str) -> None:
    problem = await world.post("/v1/templates", {"key": "k", "subject": "s", "body": body}, 422)
    assert problem["code"] == code


async def test_a_preview_is_for_one_person_and_its_links_are_inert(world: World) -> None:
    template = await world.template(
        subject="{{ candidate.full_name }} {{ candidate.nickname }}", preheader="{{ content.title }}", body=BODY
    )
    content = {"key": "c", "kind": "article", "title": "<T>", "url": "https://example.co.jp/a"}
    content_id = (await world.post("/v1/contents", content, 201))["id"]
    candidate = await world.candidate(full_name="山田 <b>")
    asked = {"candidate_id": candidate, "content_id": content_id}
    preview = await world.post(f"/v1/templates/{template}/preview", asked, 200)
    assert (preview["subject"], preview["preheader"]) == ("山田 <b>", "<T>")
    assert "<p>山田 &lt;b&gt;</p>" in preview["html"]
    assert preview["missing_variables"] == ["candidate.nickname"]
    assert set(preview["display_items"].values()) == {True}
    assert preview["size_bytes"] > 100
    link = preview["text"].rpartition("(")[2].rstrip(")")
    assert (await world.api.get(link)).status_code == 404
    for body, pointer in (
        ({"candidate_id": str(new_id())}, "/candidate_id"),
        ({**asked, "content_id": str(new_id())}, "/content_id"),
    ):
        problem = await world.post(f"/v1/templates/{template}/preview", body, 404)
        assert (problem["code"], problem["errors"][0]["pointer"]) == ("not_found", pointer)


async def test_what_lacks_a_display_item_cannot_go_live(world: World) -> None:
    body = "<p>{{ sender.name }} {{ sender.complaint_contact }}</p><!-- {{ legal_footer }} -->"
    step = {"key": "first", "type": "send", "template_id": await world.template(body=body)}
    made = await world.post("/v1/sequences", {"key": "k", "steps": [step]}, 201)
    problem = await world.post(f"/v1/sequences/{made['id']}/activate", status=422)
    assert problem["code"] == "template_incomplete"
    assert problem["errors"] == [
        {"pointer": "/steps/0/template_id", "code": "missing_display_item", "detail": item}
        for item in ("postal_address", "opt_out_notice", "unsubscribe_url")
    ]
    assert (await world.get(f"/v1/sequences/{made['id']}"))["status"] == "draft"


async def test_a_tenant_without_a_sender_cannot_go_live(world: World) -> None:
    await world.api.patch("/v1/tenant", json={"sender": dict.fromkeys(SENDER)})
    step = {"key": "first", "type": "send", "template_id": await world.template()}
    made = await world.post("/v1/sequences", {"key": "k", "steps": [step]}, 201)
    assert (await world.post(f"/v1/sequences/{made['id']}/activate", status=422))["code"] == "sender_incomplete"


TREE = {"field": "tags", "op": "has", "value": "x"}


@pytest.mark.parametrize(
    "fields",
    [
        {"steps": [{"key": "a", "type": "wait", "until": TREE, "limit": "P1D", "on_limit": "exit"}]},
        {"steps": [{"key": "a", "type": "notify", "event": "hello", "data": {}}]},
        {"steps": [{"key": "a", "type": "exit"}], "entry": [{"on": "tag_added", "tag": "x"}]},
    ],
)
async def test_every_kind_of_step_and_entry_goes_live_as_it_was_written(world: World, fields: dict[str, Any]) -> None:
    made = await world.post("/v1/sequences", {"key": "k", **fields}, 201)
    assert made["steps"] == fields["steps"]
    assert (await world.post(f"/v1/sequences/{made['id']}/activate", status=200))["status"] == "active"


@pytest.mark.parametrize(
    "step",
    [
        {"key": "a", "type": "wait"},
        {"key": "a", "type": "wait", "for": "P1M"},
        {"key": "a", "type": "wait", "for": "P1D", "until_local": {"time": "10:00"}},
        {"key": "a", "type": "wait", "until": TREE},
        {"key": "a", "type": "jump"},
        {"key": "a b", "type": "exit"},
        {"key": "a", "type": "exit", "colour": "red"},
        {"type": "exit"},
    ],
)
async def test_steps_of_a_wrong_shape_are_refused(world: World, step: dict[str, Any]) -> None:
    problem = await world.post("/v1/sequences", {"key": "k", "steps": [step]}, 422)
    assert problem["errors"][0]["pointer"].startswith("/steps/0")


async def test_keys_are_of_their_own_and_templates_are_there(world: World) -> None:
    twice = [{"key": "a", "type": "exit"}, {"key": "a", "type": "exit"}]
    problem = await world.post("/v1/sequences", {"key": "k", "steps": twice}, 422)
    assert problem["errors"][0]["code"] == "duplicate_step_key"
    stranger = {"key": "a", "type": "send", "template_id": str(new_id())}
    nowhere = {"key": "k", "steps": [], "entry": [{"on": "pool_entered", "pool_id": str(new_id())}]}
    assert (await world.post("/v1/sequences", nowhere, 404))["errors"][0]["pointer"] == "/entry/0/pool_id"
    problem = await world.post("/v1/sequences", {"key": "k", "steps": [stranger]}, 404)
    assert problem["errors"][0]["pointer"] == "/steps/0/template_id"


async def test_a_live_sequence_keeps_its_revision_while_a_draft_is_written(world: World) -> None:
    template = await world.template()
    rest = {"key": "rest", "type": "wait", "for": "P1D"}
    sequence = await world.sequence(rest, {"key": "mail", "type": "send", "template_id": template})
    first = await world.enroll(sequence, await world.candidate())
    live = await world.get(f"/v1/sequences/{sequence}")
    assert (live["revision"], live["draft_revision"], live["version"]) == (1, None, 2)
    put = await world.api.put(f"/v1/sequences/{sequence}", json={**live, "steps": [rest]})
    assert (put.json()["revision"], put.json()["draft_revision"], put.json()["steps"]) == (1, 2, [rest])
    patched = await world.api.patch(
        f"/v1/sequences/{sequence}", json={"name": "N", "exit_on": {"add": [], "remove": ["reply"]}}
    )
    assert (patched.json()["name"], patched.json()["draft_revision"]) == ("N", 2)
    assert "reply" not in patched.json()["exit_on"]
    assert (await world.api.patch(f"/v1/sequences/{sequence}", json={"steps": []})).status_code == 422
    await world.post(f"/v1/sequences/{sequence}/activate", status=200)
    second = await world.enroll(sequence, await world.candidate())
    revisions = [(await world.get(f"/v1/enrollments/{each}"))["sequence_revision"] for each in (first, second)]
    assert revisions == [1, 2]
    moved = await world.post(f"/v1/enrollments/{first}/move", {"revision": 2}, 200)
    assert (moved["sequence_revision"], moved["next"]["step"]) == (2, "rest")
    assert (await world.post(f"/v1/enrollments/{first}/move", {"revision": 3}, 404))["code"] == "not_found"


async def test_enrolling_one(world: World) -> None:
    sequence = await world.sequence({"key": "rest", "type": "wait", "for": "P1D"})
    candidate = await world.candidate(granted=False)
    path = f"/v1/sequences/{sequence}/enrollments"
    made = await world.api.post(path, json={"candidate_id": candidate})
    again = await world.api.post(path, json={"candidate_id": candidate})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    assert made.headers["Location"] == f"/v1/enrollments/{made.json()['id']}"
    await world.post(f"/v1/enrollments/{made.json()['id']}/stop", {"reason": "enough"}, 200)
    stopped = await world.get(f"/v1/enrollments/{made.json()['id']}")
    assert (stopped["state"], stopped["exit"]["reason"]) == ("stopped", "enough")
    assert (await world.post(path, {"candidate_id": candidate}, 409))["code"] == "reentry_not_allowed"
    assert (await world.post(path, {"candidate_id": str(new_id())}, 404))["errors"][0]["pointer"] == "/candidate_id"
    await world.post(path, {}, 422)
    await world.post(path, {"candidate_id": candidate, "candidate_ids": []}, 422)
    again_stopped = await world.post(f"/v1/enrollments/{made.json()['id']}/stop", {"reason": "x"}, 409)
    assert again_stopped["code"] == "enrollment_finished"


async def test_reentry_is_a_choice(world: World) -> None:
    rest = {"key": "out", "type": "exit", "reason": "done"}
    sequence = await world.sequence(rest, reentry={"allowed": True, "after": None})
    candidate = await world.candidate()
    assert await world.enroll(sequence, candidate) != await world.enroll(sequence, candidate)
    later = await world.sequence(rest, reentry={"allowed": True, "after": "P1D"})
    await world.enroll(later, candidate)
    body = {"candidate_id": candidate}
    assert (await world.post(f"/v1/sequences/{later}/enrollments", body, 409))["code"] == "reentry_not_allowed"


async def test_enrolling_many_answers_each(world: World) -> None:
    sequence = await world.sequence({"key": "rest", "type": "wait", "for": "P1D"})
    one, two = await world.candidate(), await world.candidate()
    await world.enroll(sequence, two)
    path = f"/v1/sequences/{sequence}/enrollments"
    batch = await world.post(path, {"candidate_ids": [one, two, str(new_id()), one]}, 207)
    outcomes = [(each["index"], each["status"], each["outcome"]) for each in batch["items"]]
    assert outcomes == [(0, 201, "created"), (1, 200, "existing"), (2, 404, "refused"), (3, 200, "existing")]
    assert batch["counts"] == {"created": 1, "existing": 2, "refused": 1, "total": 4}
    assert batch["items"][2]["errors"][0] | {"detail": ""} == {
        "pointer": "/candidate_ids/2",
        "code": "not_found",
        "detail": "",
    }
    assert (await world.post(path, {"candidate_ids": []}, 207))["items"] == []
    mixed = await world.post(path, {"candidate_ids": ["nobody", 7, one]}, 207)
    assert [each["outcome"] for each in mixed["items"]] == ["refused", "refused", "existing"]
    assert (mixed["items"][0]["status"], mixed["items"][0]["errors"][0]["pointer"]) == (404, "/candidate_ids/0")
    too_many = await world.post(path, {"candidate_ids": [str(new_id())] * 501}, 413)
    assert too_many["code"] == "too_many_items"
    listed = (await world.get(f"{path}?state=active&candidate_id={one}"))["data"]
    assert [each["candidate_id"] for each in listed] == [one]


async def test_who_is_in_already_is_told_with_the_version_of_now(world: World) -> None:
    sequence = await world.sequence({"key": "rest", "type": "wait", "for": "P1D"})
    candidate = await world.candidate()
    enrollment = await world.enroll(sequence, candidate)
    moved = await world.post(f"/v1/enrollments/{enrollment}/move", {"revision": 1}, 200)
    assert moved["version"] == 2
    batch = await world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": [candidate]}, 207)
    assert [(each["id"], each["version"]) for each in batch["items"]] == [(enrollment, 2)]


async def test_an_entry_names_an_import_that_there_is(world: World) -> None:
    body = {"key": "k", "steps": [], "entry": [{"on": "import", "import_id": str(new_id())}]}
    problem = await world.post("/v1/sequences", body, 404)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("not_found", "/entry/0/import_id")


async def test_only_active_sequences_take_people(world: World) -> None:
    made = await world.post("/v1/sequences", {"key": "k", "steps": []}, 201)
    body = {"candidate_id": await world.candidate()}
    problem = await world.post(f"/v1/sequences/{made['id']}/enrollments", body, 409)
    assert problem["code"] == "sequence_not_active"
    assert (await world.post(f"/v1/sequences/{made['id']}/activate", status=422))["code"] == "sequence_empty"
    assert (await world.post(f"/v1/sequences/{made['id']}/pause", status=409))["code"] == "sequence_not_active"


async def test_settle_and_resend_ask_for_the_right_state(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    await world.send()
    message = (await world.message(sequence_id=sequence))["id"]
    for action, body in (("resend", None), ("redrive", None), ("settle", {"outcome": "sent"})):
        assert (await world.post(f"/v1/messages/{message}/{action}", body, 409))["code"] == "message_state"
        stale = await world.api.post(f"/v1/messages/{message}/{action}", json=body, headers={"If-Match": '"v1"'})
        assert stale.status_code == 412
    assert (await world.api.post(f"/v1/messages/{new_id()}/resend")).status_code == 404


async def test_the_report_counts_what_the_lists_show(world: World) -> None:
    sequence = await world.sequence()
    await world.enroll(sequence, await world.candidate())
    await world.enroll(sequence, await world.candidate(granted=False))
    await world.send()
    sent = await world.message(sequence_id=sequence, state="sent")
    opened = {"candidate_id": sent["candidate_id"], "source": "t", "occurred_at": sent["sent_at"]}
    for type_ in ("email_delivered", "email_opened", "email_opened", "email_clicked"):
        body = {**opened, "type": type_, "actor": "human", "data": {"message_id": sent["message_id_header"]}}
        await world.post("/v1/touchpoints", body, 201)
    await world.drain()
    report = await world.get(f"/v1/sequences/{sequence}/report")
    [step] = report["steps"]
    assert report["enrollments"] == {
        "total": 2, "active": 0, "completed": 1, "exited": 1, "stopped": 0, "by_exit": {"consent_missing": 1},
    }  # fmt: skip
    assert {state: n for state, n in step["messages"].items() if n} == {"sent": 1, "refused": 1}
    assert (step["by_reason"], step["delivered"]) == ({"consent_missing": 1}, 1)
    assert (step["opened"]["human"], step["clicked"]["human"]) == (1, 1)


async def test_messages_are_paged_and_filtered(world: World) -> None:
    sequence = await world.sequence()
    people = [await world.candidate() for _ in range(3)]
    await world.post(f"/v1/sequences/{sequence}/enrollments", {"candidate_ids": people}, 207)
    first = await world.get("/v1/messages?limit=2")
    rest = await world.get(f"/v1/messages?limit=2&cursor={first['next_cursor']}")
    assert {each["candidate_id"] for each in first["data"] + rest["data"]} == set(people)
    assert len(await world.messages(candidate_id=people[0], state="scheduled", step="first")) == 1
    assert await world.messages(candidate_id=people[0], state="sent") == []
    mismatch = await world.api.get(f"/v1/messages?step=x&cursor={first['next_cursor']}")
    assert mismatch.json()["code"] == "cursor_mismatch"


async def test_branches_and_tags_are_carried_out_on_the_way(world: World) -> None:
    template = await world.template()
    tag = {"key": "tag", "type": "tag", "add": ["vip"], "remove": ["new"]}
    vip = {"field": "tags", "op": "has", "value": "vip"}
    mails = [{"key": key, "type": "send", "template_id": template} for key in ("yes", "no", "end")]
    branch = {"key": "if", "type": "branch", "if": vip, "then": [mails[0]], "else": [mails[1]]}
    plain, tagged = await world.sequence(branch, mails[2]), await world.sequence(tag, branch, mails[2])
    candidate = await world.candidate(tags=["new"])
    for sequence in (plain, tagged):
        await world.enroll(sequence, candidate)
        await world.send()
        await world.send()
    assert [each["step"] for each in await world.messages(sequence_id=plain)] == ["end", "no"]
    assert [each["step"] for each in await world.messages(sequence_id=tagged)] == ["end", "yes"]
    assert (await world.get(f"/v1/candidates/{candidate}"))["tags"] == ["vip"]


async def test_exit_if_is_asked_at_the_gate(world: World) -> None:
    step = {"key": "first", "type": "send", "template_id": await world.template()}
    sequence = await world.sequence(step, exit_if={"field": "tags", "op": "has", "value": "stop"})
    stays, leaves = await world.candidate(), await world.candidate()
    for candidate in (stays, leaves):
        await world.enroll(sequence, candidate)
    tagged = await world.api.patch(f"/v1/candidates/{leaves}", json={"tags": {"add": ["stop"], "remove": []}})
    assert tagged.status_code == 200
    await world.send()
    assert (await world.message(candidate_id=stays))["state"] == "sent"
    message = await world.message(candidate_id=leaves)
    assert (message["state"], message["reasons"][0]["code"]) == ("cancelled", "exit_if")


async def test_trees_are_read_when_they_are_saved(world: World) -> None:
    wrong = {"field": "nothing", "op": "has", "value": "x"}
    branch = {"key": "a", "type": "branch", "if": wrong, "then": [], "else": []}
    problem = await world.post("/v1/sequences", {"key": "k", "steps": [branch]}, 422)
    assert problem["errors"][0] | {"detail": ""} == {
        "pointer": "/steps/0/if/field",
        "code": "unknown_field",
        "detail": "",
    }


async def test_a_sequence_cannot_take_the_key_of_another(world: World) -> None:
    assert (await world.api.post("/v1/sequences", json={"key": "first"})).status_code == 201
    made = (await world.api.post("/v1/sequences", json={"key": "second"})).json()
    refused = await world.api.put(f"/v1/sequences/{made['id']}", json={"key": "first"})
    assert (refused.status_code, refused.json()["code"]) == (409, "key_taken")
    renamed = await world.api.put(f"/v1/sequences/{made['id']}", json={"key": "third"})
    assert (renamed.status_code, renamed.json()["key"], renamed.json()["version"]) == (200, "third", 2)
