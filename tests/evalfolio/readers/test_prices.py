from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from evalbayes.errors import InputError
from evalfolio.readers.prices import Prices, default_prices, read_prices

USAGE = {"input": 1e6, "output": 1e6, "cache_read": 1e6, "cache_write": 1e6}


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("openai/gpt-4o-mini", "gpt-4o-mini"),
        ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4o", "gpt-4o"),
        ("openrouter/anthropic/claude-opus-4-1-20250805", "claude-opus-4-[01]"),
        ("bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4"),
        ("vertex/claude-opus-4-5@20251101", "claude-opus-4-[5-8]"),
        ("anthropic/claude-opus-5-5", "claude-opus-5-5"),
        ("openai/gpt-5.1-codex-max", "gpt-5.1*"),
    ],
)
def test_a_model_is_found_with_or_without_provider_and_date(model: str, row: str) -> None:
    price = default_prices().find(model)
    assert price is not None
    assert price.model == row


@pytest.mark.parametrize("model", ["ollama/llama3.1", "mockllm/model", "openai/gpt-5-giant", "x"])
def test_a_model_that_is_not_in_the_table_has_no_price(model: str) -> None:
    assert default_prices().find(model) is None


def test_every_shipped_price_has_a_date_and_a_source() -> None:
    frame = default_prices().to_frame()
    assert frame["source"].str.len().gt(0).all()
    assert frame["date"].map(lambda d: isinstance(d, datetime.date)).all()
    assert frame["source"].str.contains("assumption|https://").all()
    assert frame["output"].ge(frame["input"]).all()
    assert frame["cache_read"].dropna().le(frame["input"][frame["cache_read"].notna()]).all()


def test_the_price_of_the_day_of_the_run_holds() -> None:
    table = default_prices()
    before = table.find("openai/o3", datetime.date(2025, 6, 9))
    after = table.find("openai/o3", datetime.date(2025, 6, 10))
    latest = table.find("openai/o3")
    assert before is not None
    assert after is not None
    assert (before.input, after.input) == (10.0, 2.0)
    assert latest == after


def test_cached_tokens_cost_as_much_as_input_where_no_price_is_given() -> None:
    price = default_prices().find("openai/gpt-4")
    assert price is not None
    assert price.usd(USAGE) == 30 + 60 + 30 + 30


def toml(folder: Path, text: str) -> Path:
    file = folder / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return file


ROW = '[[price]]\nmodel = "{}"\ninput = 7\noutput = 9\ndate = 2026-11-01\nsource = "contract"\n'


def test_a_users_table_wins_over_the_shipped_one(tmp_path: Path) -> None:
    table = read_prices(toml(tmp_path, ROW.format("gpt-4o*") + ROW.format("house-model")))
    for model in ("openai/gpt-4o", "openai/gpt-4o-mini", "lab/house-model"):
        price = table.find(model)
        assert price is not None
        assert price.source == "contract"
    other = table.find("openai/gpt-4.1")
    assert other is not None
    assert other.source != "contract"
    alone = read_prices(tmp_path / "prices.toml", with_defaults=False)
    assert alone.find("openai/gpt-4.1") is None


def test_a_table_may_be_csv(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text(
        "model,input,output,cache_read,date,source\nm,1,2,,2026-11-01,assumption\n"
        "n,1,2,0.5,2026-11-01,assumption\n"
    )
    table = read_prices(file)
    m, n = table.find("m"), table.find("n")
    assert m is not None
    assert n is not None
    assert (m.cache_read, n.cache_read) == (None, 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ROW.format("m").replace("input", "inptu"), "unknown key 'inptu'"),
        (ROW.format("m").replace("input = 7\n", ""), "'input' is missing"),
        (ROW.format("m").replace("7", "-7"), "input must be a price"),
        (ROW.format("m").replace("7", '"seven"'), "input must be a price"),
        (ROW.format("m").replace("7", "true"), "input must be a price .* got True; write it in"),
        (ROW.format("m").replace("7", "7e-6"), "got 7e-06; it seems to be per token: multiply by"),
        (ROW.format("m") + ROW.format("M\u200b"), "one price from one day on, got 1 and 2 of its"),
        (ROW.format("m").replace("2026-11-01", '"soon"'), "date must be a day"),
        ("price = 3 =", "must be a price table in TOML or CSV that can be read, got an error"),
        ("", "at least one"),
        ("[price]\nmodel = 'm'\n", r"write \[\[price\]\], with two brackets"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_prices(toml(tmp_path, text))


def test_a_table_from_a_spreadsheet_is_read_or_told_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    text = "model,input,output,date,source,cache_read\nm,1.5,7,2026-11-01,list,\n"
    file.write_text(text, encoding="utf-8-sig")
    price = read_prices(file).find("m")
    assert price is not None
    assert (price.input, price.output, price.cache_read) == (1.5, 7.0, None)
    file.write_text(text.replace("1.5", '"1,5"'))
    with pytest.raises(InputError, match=r"row 2: input must be a price .* got '1,5'"):
        read_prices(file)
    file.write_text(text.replace(",", ";"))
    with pytest.raises(InputError, match="cells must be parted by commas, got semicolons"):
        read_prices(file)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must be a file that can be read, got No such file"):
        read_prices(tmp_path / "none.toml")


def test_overrides_of_nothing_change_nothing() -> None:
    assert default_prices().with_overrides(Prices(())) == default_prices()
