"""Places of a request are told by RFC 6901, and never by a person's data."""

from app.kit.pointers import at_unknown, below


def test_a_name_with_the_marks_of_a_pointer_is_escaped() -> None:
    assert below(below("/items", 0), "a/b~c") == "/items/0/a~1b~0c"


def test_an_unknown_member_is_named_only_as_fields_are() -> None:
    assert at_unknown("/items/0", "firstName") == "/items/0/firstName"
    assert {at_unknown("/items/0", each) for each in ("a@example.com", "山田", "", "x" * 65)} == {"/items/0"}
    assert at_unknown("", "wishes", 6, "a@b.jp", "name") == "/wishes/6"
