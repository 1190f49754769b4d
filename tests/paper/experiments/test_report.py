"""Results are written whole, or nothing changes."""

import os

import pytest

from tf_ig2.paper.experiments import report
from tf_ig2.paper.experiments.records import Record
from tf_ig2.paper.experiments.table import Column, Table


def table(title):
    return Table(title, [Column("auc", "AUC")], [Record("IG", "dog", {"auc": 0.5}), Record("IG", "cat", {"auc": 0.7})])


def test_a_page_with_a_file_and_a_picture_of_each_table(tmp_path):
    files = report.write([table("First"), table("Second")], tmp_path / "new", "page", "Results", ["A note."])
    assert [file.name for file in files] == [
        "page.md",
        *(f"page_{i}.{kind}" for i in (1, 2) for kind in ("csv", "png")),
    ]
    assert all(file.stat().st_size for file in files)
    assert sorted(files) == sorted((tmp_path / "new").iterdir())


def test_the_page_shows_the_pictures(tmp_path):
    page = report.write([table("First"), table("Second")], tmp_path, "page", "Results", ["A note."])[0].read_text()
    assert page.startswith("# Results\n\nA note.\n")
    assert "![First](page_1.png)" in page
    assert "![Second](page_2.png)" in page


def test_files_of_one_table_have_no_number(tmp_path):
    files = report.write([table("Only")], tmp_path, "page", "Results")
    assert [file.name for file in files] == ["page.md", "page.csv", "page.png"]
    assert "![Only](page.png)" in files[0].read_text()


def test_a_folder_that_is_a_file_is_an_os_error_and_nothing_changes(tmp_path):
    (tmp_path / "file").write_text("before")
    with pytest.raises(OSError, match="file"):
        report.write_whole(tmp_path / "file" / "page.md", b"after")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_an_os_error_that_names_the_file(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match=r"nothing was changed.*page\.md'"):
        report.write_whole(tmp_path / "page.md", b"after")


def test_what_was_there_stays_if_the_disk_is_full(tmp_path, monkeypatch):
    path = report.write_whole(tmp_path / "page.md", b"before")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"nothing was changed: No space left on device: .*page\.md'"):
        report.write_whole(path, b"after")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]
