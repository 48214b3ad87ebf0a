from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from evalfolio.inspect import write_inspect_yaml, write_run_configs, yaml_text

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))  # lone surrogates are no text
)
values: Any = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=300, deadline=None)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert yaml.safe_load(yaml_text(value)) == value


@pytest.mark.parametrize("word", ["yes", "no", "on", "null", "~", "1e3", "0x1f", "2026-11-01", "-"])
def test_words_yaml_reads_more_into_stay_text(word: str) -> None:
    assert yaml.safe_load(yaml_text({word: word})) == {word: word}


def test_only_plain_values_are_written() -> None:
    with pytest.raises(yaml.representer.RepresenterError, match="cannot represent an object"):
        yaml_text({"when": object()})


def test_files_are_written_whole_with_harmless_names(tmp_path: Path) -> None:
    runs = [
        {"option": "../../etc/x y", "run_config": {"task": "a"}},
        {"option": "🙂", "run_config": {"task": "b"}},
    ]
    files = write_run_configs({"runs": runs}, tmp_path / "runs")
    assert [f.name for f in files] == ["001-etc-x-y.yaml", "002-run.yaml"]
    assert [yaml.safe_load(f.read_text()) for f in files] == [{"task": "a"}, {"task": "b"}]
    whole = write_inspect_yaml({"runs": runs}, tmp_path / "plan.yaml")
    assert yaml.safe_load(whole.read_text(encoding="utf-8")) == {"runs": runs}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.yaml", "runs"]
