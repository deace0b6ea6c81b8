"""The library: one's own lessons beside the shipped ones, and no file from outside the folder."""

from __future__ import annotations

from pathlib import Path

from lib.lessons.library import SHIPPED, find_lessons


def test_a_file_of_ones_own_stands_in_place_of_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    shipped = find_lessons().lessons[0]
    text = (SHIPPED / f"{shipped.id}.toml").read_text()
    (tmp_path / f"{shipped.id}.toml").write_text(text.replace(f'title = "{shipped.title}"', 'title = "Mine"'))
    (tmp_path / "20-another.toml").write_text(text)
    (tmp_path / "broken.toml").write_text("title = ")
    library = find_lessons(tmp_path)
    assert library.lessons[0].title == "Mine"
    assert library.lessons[-1].id == "20-another"
    assert library.lesson("20-another") is not None
    assert library.lesson("../20-another") is None
    assert [error.what.split(" ")[0] for error in library.broken] == ["broken.toml"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "mine", tmp_path / "secret.toml"
    folder.mkdir()
    outside.write_text("title = ")
    (folder / "9-link.toml").symlink_to(outside)
    assert find_lessons(folder).broken == ()


def test_a_folder_that_is_gone_has_no_lessons(tmp_path: Path) -> None:
    assert find_lessons(tmp_path / "gone") == find_lessons()
