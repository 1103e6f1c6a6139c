"""The study on the toy grid."""

import pytest
import toy_study


@pytest.mark.parametrize(
    "content, reason",
    [
        ('{"num_seeds": 2, "gri', "Unterminated string"),
        ("", "Expecting value"),
        ("[]", "not a table"),
        ('{"num_seeds": 2, "grids": {"9-D": {"random": {}}}}', "not a table"),
        (
            (
                '{"num_seeds": 2, "grids": {"2-D-10": {"random": {"mean": [1], "sd": [1], "final":'
                " [1]}}}}"
            ),
            "scores are missing",
        ),
    ],
)
def test_a_broken_file_of_the_toy_study_is_named_and_kept(tmp_path, content, reason):
    path = tmp_path / "toy_study.json"
    path.write_text(content)
    with pytest.raises(
        SystemExit, match=f"toy_study.json is damaged .*{reason}.*: restore it, move it away"
    ) as exit:
        toy_study.run(tmp_path, ["2-D-10"], ["random"], 2)
    assert str(path) in str(exit.value) and path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]
