"""Label sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from orbat.corpus.labels import Label, LabelSet, assign_labels, load_guidelines, load_labels
from orbat.errors import InputError


def test_the_shipped_set_has_keys_and_guidelines() -> None:
    labels = load_labels()
    assert labels.names == ("UNIT", "RANK", "ROLE", "OPERATION")
    assert all(label.key and label.description for label in labels.labels)
    assert load_guidelines(labels).startswith("# Annotation guidelines")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = 'x'", "label: Field required"),
        ("name = 'x'\nlabel = []", "label: "),
        ("name = 'x'\n[[label]]\nname = 'A'\nkeys = 'a'", "unknown key 'label.0.keys'"),
        ("name = 'x'\n[[label]]\nname = 'A'\nkey = 'F1'", "label.0.key: "),
        ("name = 'x'\n[[label]]\nname = 'A'\ncolor = 'red'", "label.0.color: "),
        ("name = 'x'\n[[label]]\nname = ' A'", "label.0.name: ' A' has white space at an end"),
        ("name = 'x'\n[[label]]\nname = ''", "label.0.name: is empty"),
        ("name = 'x'\n[[label]]\nname = 'O'", "label.0.name: 'O' is read as a tag"),
        ("name = 'x'\n[[label]]\nname = 'B-UNIT'", "label.0.name: 'B-UNIT' is read as a tag"),
        ("name = 'x'\n[[label]]\nname = 'A'\n[[label]]\nname = 'A'", "duplicate label name 'A'"),
        ("name = ", "invalid TOML"),
    ],
)
def test_errors_name_file_and_field(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "labels.toml"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        load_labels(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("color", "ink"), [("#ffffff", "#000000"), ("#1f1f7a", "#ffffff")])
def test_text_on_a_label_is_readable(color: str, ink: str) -> None:
    assert Label(name="A", color=color).text_color == ink


@pytest.mark.parametrize("name", ["../secret.md", "/etc/passwd", "a/../../b", "C:\\\\a.md"])
def test_guidelines_lie_in_the_folder_of_the_label_set(tmp_path: Path, name: str) -> None:
    path = tmp_path / "labels.toml"
    path.write_text(f"name = 'x'\nguidelines = '{name}'\n[[label]]\nname = 'A'\n")
    with pytest.raises(InputError, match=r"guidelines: .* outside of the file's folder"):
        load_labels(path)


def test_records_with_guidelines_elsewhere_stay_readable(tmp_path: Path) -> None:
    """Sessions and runs of earlier versions have them."""
    record = {"name": "x", "label": [{"name": "A"}], "guidelines": "../secret.md"}
    labels = LabelSet.model_validate(record)
    (tmp_path / "secret.md").write_text("secret")
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="leads out of"):
        load_guidelines(labels, tmp_path / "set" / "labels.toml")


def test_names_of_guidelines_that_no_file_has_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.toml"
    path.write_text('name = "x"\nguidelines = "a\\u0000b"\n[[label]]\nname = "A"\n')
    with pytest.raises(InputError, match="guidelines: has control characters"):
        load_labels(path)
    path.write_text("name = 'x'\nguidelines = 'a.md'\n[[label]]\nname = 'A'\n")
    (tmp_path / "a.md").symlink_to(tmp_path / "a.md")
    with pytest.raises(InputError, match=r"a\.md: cannot be read"):
        load_guidelines(load_labels(path), path)


def test_guidelines_that_are_a_link_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    path = folder / "labels.toml"
    path.write_text("name = 'x'\nguidelines = 'a.md'\n[[label]]\nname = 'A'\n")
    (tmp_path / "secret").write_text("secret")
    (folder / "real.md").write_bytes(b"\xef\xbb\xbf# A\r\n")
    (folder / "a.md").symlink_to(folder / "real.md")
    assert load_guidelines(load_labels(path), path) == "# A\n"
    (folder / "a.md").unlink()
    (folder / "a.md").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=r"a\.md: a link that leads out of"):
        load_guidelines(load_labels(path), path)


def test_labels_of_documents_get_colors_and_keys() -> None:
    labels = assign_labels(["Person", "ORT", "Partei", "ORT", "Äon"])
    assert [(label.name, label.key) for label in labels.labels] == [
        ("ORT", "o"),
        ("Partei", "p"),
        ("Person", "e"),
        ("Äon", "n"),
    ]
    assert len({label.color for label in labels.labels}) == 4
    many = assign_labels(f"L{number}" for number in range(60))
    assert len({label.key for label in many.labels}) == 37  # all keys, and None
    assert len({label.color for label in many.labels}) == 60
    with pytest.raises(InputError, match="'B-ORT' is read as a tag of another label"):
        assign_labels(["B-ORT"])
