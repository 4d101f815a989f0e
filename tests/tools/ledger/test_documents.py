"""TinyDB's documented behaviour (tinydb.readthedocs.io, "Advanced Usage" and "API") on our storage and, as a check of
the test itself, on TinyDB's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
from tinydb import Query, TinyDB, where
from tinydb.operations import add, decrement, delete, increment, subtract
from tinydb.operations import set as assign
from tinydb.table import Document

from experiment_tracker_tools.ledger.documents import JournalDB

Open = Callable[[], TinyDB]


@pytest.fixture(params=[JournalDB, TinyDB], ids=["journal", "tinydb"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened: list[TinyDB] = []

    def open_it() -> TinyDB:
        opened.append(request.param(tmp_path / "db.json"))
        return opened[-1]

    yield open_it
    for db in opened:
        db.close()


@pytest.fixture
def db(reopen: Open) -> TinyDB:
    return reopen()


def ints(db: TinyDB) -> list[int]:
    return [document["int"] for document in db]


def three(db: TinyDB) -> None:
    assert db.insert_multiple({"int": n, "char": c} for n, c in ((1, "a"), (1, "b"), (2, "c"))) == [1, 2, 3]


def test_documents_and_ids_are_there_after_reopening(db: TinyDB, reopen: Open) -> None:
    three(db)
    again = reopen()
    assert [document.doc_id for document in again] == [1, 2, 3]
    assert again.all() == [{"int": 1, "char": "a"}, {"int": 1, "char": "b"}, {"int": 2, "char": "c"}]
    assert again.insert({}) == 4


def test_an_empty_database_has_no_tables_and_no_documents(db: TinyDB) -> None:
    assert (len(db), db.all(), db.tables()) == (0, [], set())


def test_search_get_contains_and_count_follow_the_query(db: TinyDB) -> None:
    three(db)
    assert [found.doc_id for found in db.search(where("int") == 1)] == [1, 2]
    assert db.count(where("int") == 1) == 2
    assert db.contains(where("char") == "c")
    assert not db.contains(doc_id=9)
    assert db.contains(doc_id=3)
    found = db.get(where("int") == 1)
    assert isinstance(found, Document)
    assert found.doc_id == 1
    assert db.get(where("int") == 9) is None
    assert db.get(doc_id=2) == {"int": 1, "char": "b"}
    assert [d["char"] for d in cast("list[Document]", db.get(None, None, [1, 3]))] == ["a", "c"]
    with pytest.raises(RuntimeError):
        db.get()


def test_queries_combine_nest_and_test(db: TinyDB) -> None:
    db.insert_multiple([{"user": {"name": "Ann", "tags": ["x", "y"]}}, {"user": {"name": "Bob", "tags": []}}])
    user = Query().user
    assert db.count(user.name.matches("^A") & user.tags.any(["y"])) == 1
    assert db.count(~(user.name == "Ann") | user.tags.all(["x"])) == 2
    assert db.count(user.name.test(lambda name: name.endswith("b"))) == 1
    assert db.count(Query().fragment({"user": {"name": "Bob", "tags": []}})) == 1
    assert db.count(user.address.exists()) == 0


def test_searching_again_sees_what_was_written_in_between(db: TinyDB) -> None:
    three(db)
    ones = where("int") == 1
    before = db.search(ones)
    db.insert({"int": 1})
    assert len(db.search(ones)) == len(before) + 1 == 3
    db.update({"int": 5}, doc_ids=[1])
    assert len(db.search(ones)) == 2


def test_update_by_query_id_and_for_all(db: TinyDB, reopen: Open) -> None:
    three(db)
    assert db.update({"int": 7}, where("char") == "a") == [1]
    assert db.update({"int": 8}, doc_ids=[2, 99]) == [2]
    assert db.update({"new": True}) == [1, 2, 3]
    assert reopen().all() == [
        {"int": 7, "char": "a", "new": True},
        {"int": 8, "char": "b", "new": True},
        {"int": 2, "char": "c", "new": True},
    ]


def test_update_operations_and_callables(db: TinyDB) -> None:
    three(db)
    db.update(increment("int"), where("char") == "a")
    db.update(decrement("int"), where("char") == "c")
    db.update(add("int", 0), doc_ids=[1])
    db.update(delete("char"), doc_ids=[2])
    db.update(assign("seen", [1, {"deep": None}]), doc_ids=[3])
    db.update(subtract("int", 5), doc_ids=[1])
    assert db.all() == [{"int": -3, "char": "a"}, {"int": 1}, {"int": 1, "char": "c", "seen": [1, {"deep": None}]}]


def test_update_multiple(db: TinyDB) -> None:
    three(db)
    assert db.update_multiple([({"int": 4}, where("char") == "a"), ({"int": 5}, where("char") == "b")]) == [1, 2]
    assert ints(db) == [4, 5, 2]


def test_upsert_updates_inserts_and_takes_a_given_id(db: TinyDB) -> None:
    three(db)
    assert db.upsert({"int": 9}, where("char") == "a") == [1]
    assert db.upsert({"int": 10, "char": "z"}, where("char") == "z") == [4]
    assert db.upsert(Document({"int": 11}, doc_id=2)) == [2]
    assert db.upsert(Document({"int": 12}, doc_id=40)) == [40]
    assert ints(db) == [9, 11, 2, 10, 12]
    with pytest.raises(ValueError, match="doc_id"):
        db.upsert({"int": 1})


def test_remove_by_query_and_id(db: TinyDB, reopen: Open) -> None:
    three(db)
    assert db.remove(where("char") == "a") == [1]
    assert db.remove(doc_ids=[3, 77]) == [3]
    assert reopen().all() == [{"int": 1, "char": "b"}]
    with pytest.raises(RuntimeError):
        db.remove()


def test_truncate_empties_a_table_and_drop_forgets_it(db: TinyDB, reopen: Open) -> None:
    three(db)
    other = db.table("other")
    other.insert({"x": 1})
    db.truncate()
    assert (len(db), len(other)) == (0, 1)
    assert reopen().tables() == {"_default", "other"}
    db.drop_table("other")
    assert reopen().tables() == {"_default"}
    db.drop_table("never there")
    db.drop_tables()
    assert reopen().tables() == set()
    db.insert({"x": 2})
    assert reopen().all() == [{"x": 2}]


def test_tables_are_separate_and_empty_ones_can_be_kept(db: TinyDB, reopen: Open) -> None:
    db.table("a").insert({"x": 1})
    db.table("b").insert({"x": 2})
    db.table("empty", persist_empty=True)
    again = reopen()
    assert again.tables() == {"a", "b", "empty"}
    assert again.table("a").all() == [{"x": 1}]
    assert len(again.table("empty")) == 0


def test_documents_with_their_own_id_are_kept_and_counted_on_from(db: TinyDB) -> None:
    assert db.insert(Document({"x": 1}, doc_id=7)) == 7
    assert db.insert({"x": 2}) == 8
    assert db.insert_multiple([Document({}, doc_id=1_000_000), Document({}, doc_id=3)]) == [1_000_000, 3]
    assert sorted(document.doc_id for document in db) == [3, 7, 8, 1_000_000]
    with pytest.raises(ValueError, match="already exists"):
        db.insert(Document({}, doc_id=7))
    with pytest.raises(ValueError, match="already exists"):
        db.insert_multiple([{"kept": "no"}, Document({}, doc_id=3)])
    assert len(db) == 4


def test_what_is_not_a_mapping_or_not_json_is_refused_and_changes_nothing(db: TinyDB, reopen: Open) -> None:
    three(db)
    with pytest.raises(ValueError, match="Mapping"):
        db.insert(cast("dict[str, int]", [1, 2]))
    with pytest.raises(ValueError, match="Mapping"):
        db.insert_multiple(cast("list[dict[str, int]]", [{"x": 1}, 3]))
    with pytest.raises(TypeError):
        db.insert({"x": object()})
    if isinstance(db, JournalDB):
        assert len(reopen()) == 3


def test_any_mapping_and_any_text_survive(db: TinyDB, reopen: Open) -> None:
    class Odd(dict[str, object]):
        pass

    odd = Odd({"ü ": '"\\\n{"c":"', "\ud800": ["\u2028", 1e308, -0.0, 2**70, None, {"": {}}]})
    db.insert(odd)
    assert reopen().all() == [dict(odd)]


def test_the_database_is_a_context_manager_and_the_storage_is_reachable(reopen: Open) -> None:
    with reopen() as db:
        db.insert({"x": 1})
        assert db.storage.read() == {"_default": {"1": {"x": 1}}}
    assert reopen().all() == [{"x": 1}]


def test_a_storage_takes_a_whole_new_content(db: TinyDB, reopen: Open) -> None:
    three(db)
    content = {"_default": {"2": {"int": 1, "char": "b"}, "5": {"int": 50}}, "t": {"1": {"a": 1}}, "nothing": {}}
    db.storage.write(cast("dict[str, dict[str, object]]", content))
    assert reopen().storage.read() == content


def test_two_open_databases_see_each_other(tmp_path: Path) -> None:
    mine, yours = JournalDB(tmp_path / "db"), JournalDB(tmp_path / "db")
    ids = [(mine if n % 2 else yours).insert({"n": n}) for n in range(6)]
    assert ids == [1, 2, 3, 4, 5, 6]
    assert mine.search(where("n") >= 0) == yours.search(where("n") >= 0) == mine.all()


def test_tinydb_own_storage_does_not_pass_that_test(tmp_path: Path) -> None:
    with (
        TinyDB(tmp_path / "db") as mine,
        TinyDB(tmp_path / "db") as yours,
        pytest.raises(ValueError, match="already exists"),
    ):
        for n in range(6):
            (mine if n % 2 else yours).insert({"n": n})


def test_an_insert_does_not_read_what_is_stored(tmp_path: Path) -> None:
    db = JournalDB(tmp_path / "db")
    db.insert_multiple({"n": n} for n in range(1000))
    before = (tmp_path / "db").read_bytes()
    db.insert({"n": 1000})
    after = (tmp_path / "db").read_bytes()
    assert after.startswith(before)
    assert len(after) - len(before) < 400
