"""TREC questions: without duplicates, from files and from TensorFlow Datasets."""

import numpy as np
import pytest
import tensorflow_datasets as tfds

from tests.networks import needs_data
from tf_ig2.paper.datasets import trec
from tf_ig2.paper.datasets.folder import CorruptDataError, MissingDataError


@pytest.fixture
def source(tmp_path):
    train = ["NUM:count How many ?", "HUM:ind Who  sings ?", "NUM:count How many ?", "LOC:city Where is it ?"]
    (tmp_path / "TREC_train.txt").write_text("\n".join(train), encoding="utf-8")
    (tmp_path / "TREC_test.txt").write_text("LOC:city Where is it ?\nABBR:exp What is NASA ?", encoding="utf-8")
    return tmp_path


def test_duplicates_and_test_questions_are_left_out_of_training(source):
    train, test = trec.load("train", source), trec.load("test", source)
    assert train.texts == ("How many ?", "Who  sings ?")
    assert [trec.CLASSES[label] for label in train.labels] == ["NUM", "HUM"]
    assert [trec.CLASSES[label] for label in test.labels] == ["LOC", "ABBR"]


@needs_data
def test_the_real_questions():
    train, test = trec.load("train"), trec.load("test")
    assert (len(train), len(test)) == (len(set(train.texts)), 500)
    assert not set(train.texts) & set(test.texts)
    assert 5300 < len(train) < 5384
    assert set(test.labels) == set(range(6))


def test_tensorflow_datasets_numbers_the_classes_otherwise():
    with tfds.testing.mock_data(num_examples=8):
        data, info = tfds.load("trec", split="test", with_info=True)
        rows = {row["text"].decode(): int(row["label-coarse"]) for row in tfds.as_numpy(data)}
        questions = trec.load("test", "tfds")
    names = info.features["label-coarse"].names
    assert set(names) == set(trec.CLASSES)
    assert tuple(names) != trec.CLASSES
    assert len(questions) == len(rows) == 8
    for text, label in zip(questions.texts, questions.labels, strict=True):
        assert trec.CLASSES[label] == names[rows[text]]


@pytest.mark.parametrize("line", ["XYZ:abc Why ?", "NUM:count", "no label here"])
def test_a_line_without_a_known_label_is_refused(source, line):
    (source / "TREC_test.txt").write_text(f"HUM:ind Who ?\n{line}", encoding="utf-8")
    with pytest.raises(CorruptDataError, match="line 2: "):
        trec.load("test", source)


def test_a_missing_file_says_where_to_get_it(tmp_path):
    with pytest.raises(MissingDataError, match=r"TREC_test\.txt.*cogcomp"):
        trec.load("test", tmp_path)
    with pytest.raises(ValueError, match="Unknown split"):
        trec.load("all", tmp_path)


def test_a_vocabulary_goes_by_frequency_then_alphabet():
    vocabulary = trec.Vocabulary.of(["b a b", "c a b 1867"], length=4)
    assert vocabulary.words == ("", "<unknown>", "b", "a", "0000", "c")
    np.testing.assert_array_equal(vocabulary.encode(["A 1999 z", "b b b b b"]), [[3, 4, 1, 0], [2, 2, 2, 2]])
    assert trec.Vocabulary.of(["b a b"], minimum=2).words[2:] == ("b",)


def test_a_vocabulary_is_written_and_read(tmp_path):
    vocabulary = trec.Vocabulary(["who", "é", "?"])
    vocabulary.write(tmp_path / "v.txt")
    assert trec.Vocabulary.read(tmp_path / "v.txt").words == vocabulary.words


def test_bad_vocabularies():
    with pytest.raises(ValueError, match="'a' more than once"):
        trec.Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="`length`"):
        trec.Vocabulary(["a"], length=0)
    with pytest.raises(TypeError, match="not one string"):
        trec.Vocabulary(["a"]).encode("a")
