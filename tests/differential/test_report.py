"""The page keeps what others wrote on it."""

from tests.differential import report
from tests.differential.description import Description
from tests.differential.runs import Failure, Tally


def test_only_the_own_section_is_replaced(tmp_path):
    page = tmp_path / "robustness.md"
    page.write_text(
        "# Robustness\n\nIntroduction.\n\n## Random models\nold\n\n## Fuzzed files\n\n| a | b |\n|---|---|\n"
    )
    report.write("## Random models\nnew\n", page)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("# Robustness\n\nIntroduction.\n")
    assert "## Fuzzed files\n\n| a | b |\n|---|---|\n" in text
    assert text.endswith("## Random models\nnew\n")
    report.write("## Random models\nnew\n", page)
    assert page.read_text() == text


def test_a_section_says_what_was_counted(tmp_path):
    tally = Tally()
    tally.models.update({"all": 2, "vector": 2})
    tally.methods["IG"] = 2
    tally.checked["eager"] = 5
    tally.failures.append(Failure(Description(seed=7), "IG", "eager", "off by one"))
    text = report.section(tally, 60.0, 50.0, 0, "Keras 3")
    assert "2 models" in text
    assert "5 checks, 1 failed" in text
    assert "* eager, IG: `Description(seed=7)`" in text
    report.write(text, tmp_path / "new.md")
    assert (tmp_path / "new.md").read_text().startswith("# Robustness\n\n## Random models\n")
