"""Every command of the pages stands in a console block, and is run or named with the reason why not."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from rehearsal.tests.printed.pages import bare, blocks, mentions, pages, split
from rehearsal.tests.printed.tables import ANSWERS, CANNOT_RUN, EACH, LAST, LOOKED_UP, ORDER, PLACEHOLDERS
from rehearsal.tests.printed.workflows import github, gitlab

PRINTED = [block for page in pages() for block in blocks(page)]
COMMANDS = [bare(command) for block in PRINTED for command in block.commands]
IN_WORKFLOWS = [command for step in (*github(), *gitlab()) for command in step.commands]


def stands_in(mention: str, commands: list[str]) -> bool:
    """Whether the words of a mention are, in their order, words of a command."""
    # A name that is left open is any.
    wanted = [word for word in mention.removeprefix("npx ").split() if word not in {"NAME", "ENV=NAME"}]
    for command in commands:
        words = iter(command.split())
        if all(word in words for word in wanted):
            return True
    return False


def test_commands_are_printed_in_console_blocks() -> None:
    alone = [
        f"{each.page}:{each.line}: {each.command}"
        for page in pages()
        for each in mentions(page)
        if not stands_in(each.command, COMMANDS)
    ]
    assert alone == [], "these commands stand in the middle of a sentence; print each in a ```console block"


def test_a_command_in_a_sentence_only_is_noticed() -> None:
    assert stands_in("make diff", ["make diff ENV=mine"])
    assert stands_in("python -m ops status --env NAME", ["python -m ops status --env mine"])
    assert stands_in("kubectl get pods", ["kubectl -n milvus get pods"])
    assert not stands_in("kubectl delete pods", ["kubectl -n milvus get pods"])
    assert not stands_in("kubectl pods get", ["kubectl -n milvus get pods"])


def test_what_cannot_run_is_printed_somewhere() -> None:
    gone = [
        pattern
        for pattern in CANNOT_RUN
        if not any(fnmatchcase(command, pattern) for command in (*COMMANDS, *IN_WORKFLOWS))
    ]
    assert gone == [], "no page and no workflow has such a command any more; remove the entry"


@pytest.mark.parametrize(
    "table",
    [pytest.param((*PLACEHOLDERS, *EACH, *LOOKED_UP), id="placeholders"), pytest.param((*ANSWERS, *LAST), id="order")],
)
def test_tables_speak_of_what_is_printed(table: tuple[str, ...]) -> None:
    gone = [entry for entry in table if not any(entry in command for command in COMMANDS)]
    assert gone == [], "no page prints this any more; remove the entry"


def test_every_page_with_commands_has_its_turn() -> None:
    assert {block.page for block in PRINTED} == set(ORDER)


def test_a_block_is_split_where_a_command_is_complete() -> None:
    text = "$ make\nfor x in a; do\n  echo $x\ndone   # each\n\naws s3 ls \\\n  | cat\n"
    assert split(text) == ["make", "for x in a; do\n  echo $x\ndone   # each", "aws s3 ls \\\n  | cat"]
    assert [bare(command) for command in split(text)] == ["make", "for x in a; do echo $x done", "aws s3 ls | cat"]
    with pytest.raises(ValueError, match=r"^no shell understands this to its end: for x in a; do$"):
        split("for x in a; do\n  echo\n")


def test_what_a_sentence_mentions_is_found_with_its_place() -> None:
    (page,) = (page for page in pages() if page.name == "destroy.md")
    (found,) = (each for each in mentions(page) if each.command == "make destroy ENV=mine")
    assert "make destroy ENV=mine" in page.read_text(encoding="utf-8").splitlines()[found.line - 1]
