"""The page of differences records answers so that they can be read back, and compared."""

from __future__ import annotations

import pytest

from tests.support.conformance import Catalogue, section, with_section

ANSWERS = {
    "moto": {"one": "yes", "two": "no", "three": "breaks: KeyError"},
    "oracle": {"one": "yes", "two": "yes", "three": "yes"},
}
PAGE = "before\n<!-- measured: x -->\n\nold\n\n<!-- end: x -->\nafter\n"


@pytest.fixture
def catalogue() -> Catalogue[str]:
    """Three questions, to each of which AWS answers yes."""
    made: Catalogue[str] = Catalogue()

    def one(asked: str) -> str:
        """The first."""
        return asked

    def two(asked: str) -> str:
        """The second,
        on two lines.
        """
        raise KeyError(asked)

    def three(asked: str) -> str:
        """The third."""
        return asked

    made.check(aws="yes", matters="nothing")(one)
    made.check(aws="yes", matters="much")(two)
    made.check(aws="yes", matters="much", unasked={"moto": "too slow"})(three)
    return made


def test_what_differs_somewhere_is_a_row(catalogue: Catalogue[str]) -> None:
    """With AWS's answer, each place's, and what follows; the rest is listed."""
    assert catalogue.table(ANSWERS).splitlines() == [
        "| asked | AWS | moto | oracle | for us |",
        "| --- | --- | --- | --- | --- |",
        "| The second, on two lines | yes | no | = | much |",
        "| The third | yes | breaks: KeyError | = | much |",
        "",
        "As AWS everywhere, 1:",
        "",
        "- The first",
    ]


def test_a_table_reads_back(catalogue: Catalogue[str]) -> None:
    """Every answer of every place, those that are AWS's too."""
    assert catalogue.recorded(catalogue.table(ANSWERS)) == ANSWERS


def test_an_answer_is_what_happened(catalogue: Catalogue[str]) -> None:
    """What is observed, or that it broke, or that it was not asked."""
    checks = catalogue.checks
    assert checks["one"].answer("moto", lambda: "yes") == "yes"
    assert checks["two"].answer("moto", lambda: "yes") == "breaks: KeyError"
    assert checks["three"].answer("moto", lambda: "yes") == "not asked: too slow"
    assert checks["three"].answer("oracle", lambda: "yes") == "yes"


def test_a_question_must_fit_the_table(catalogue: Catalogue[str]) -> None:
    """One name, one sentence, and no bar: else the page could not be read back."""

    def one(asked: str) -> str:
        """The first again."""
        return asked

    def open_ended(asked: str) -> str:
        """No full stop"""
        return asked

    for wrong, aws in ((one, "yes"), (open_ended, "yes")):
        with pytest.raises(ValueError, match="a name of its own"):
            catalogue.check(aws=aws, matters="")(wrong)
    with pytest.raises(ValueError, match="a name of its own"):
        catalogue.check(aws="a | b", matters="")(lambda asked: asked)


def test_a_part_of_the_page_is_replaced_alone() -> None:
    """What is between its marks, and nothing around them; a part that is missing is an error."""
    assert section(PAGE, "x") == "old"
    assert with_section(PAGE, "x", "new") == PAGE.replace("old", "new")
    with pytest.raises(ValueError, match="'y'"):
        section(PAGE, "y")
