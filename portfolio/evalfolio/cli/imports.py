"""`evalfolio import`: tables, Inspect logs and METR runs become an observations file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from evalfolio.cli.console import console, detailed, print_json, records, say
from evalfolio.cli.options import Texts, answering, figure
from evalfolio.errors import InputError

if TYPE_CHECKING:
    from evalbayes.observations import TableMapping
    from evalfolio.readers import ImportResult

app = typer.Typer(
    help="Make an observations file from tables, Inspect logs or METR runs.", no_args_is_help=True
)

FilesArgument = Annotated[list[Path], Argument(help="Files or folders.")]
OutOption = Annotated[Path, Option(help="Observations: .csv, .csv.gz or .parquet.")]
EvalOption = Annotated[Texts, Option("--eval", help="Rename an eval: THEIRS=OURS; repeatable.")]
AiModelOption = Annotated[Texts, Option("--ai-model", help="Rename an AI model: THEIRS=OURS.")]
PricesOption = Annotated[
    Path | None, Option(help="Price table (TOML or CSV): its rows win over the shipped ones.")
]
CapOption = Annotated[str | None, Option(help="Cap of runs whose file gives none.")]
MapOption = Annotated[Texts, Option("--map", help="ours=theirs, e.g. spend=spend_tokens.")]
SetOption = Annotated[Texts, Option("--set", help="A column's value in every row, cap=2e6.")]
MappingOption = Annotated[
    Path | None, Option(help="The same in a TOML file, as its tables map and set.")
]
RecipeOption = Annotated[
    str | None,
    Option(help="Format: hal, eee, eee_aggregate, lm_eval, swe_bench or terminal_bench."),
]
DropOption = Annotated[
    bool, Option("--drop-incomplete", help="Leave out rows that lack a name, outcome or cap.")
]
ErrorsOption = Annotated[Path | None, Option(help="Write what could not be read to this CSV.")]
StrictOption = Annotated[bool, Option("--strict", help="Stop at the first unreadable file.")]


@app.command("table")
@answering
def table(
    files: FilesArgument,
    out: OutOption,
    mapped: MapOption = None,
    constant: SetOption = None,
    mapping: MappingOption = None,
    recipe: RecipeOption = None,
    spend: Annotated[str, Option(help="With --recipe: tokens, or usd by our prices.")] = "tokens",
    prices: PricesOption = None,
    drop_incomplete: DropOption = False,
) -> None:
    """Rename the columns of plain tables, or read other harnesses' result files by a recipe."""
    from evalbayes.observations import imported, write_observations
    from evalfolio.readers.prices import default_prices, read_prices
    from evalfolio.readers.recipes import read_by_recipe

    constants = pairs(constant, "--set")
    if spend not in ("tokens", "usd"):
        raise InputError(f"--spend must be tokens or usd, got {spend!r}; write one of them")
    if recipe is None:
        chosen = mapping_of(mapped, mapping)
        found = imported(files, chosen, constants, drop_incomplete=drop_incomplete)
    else:
        table = default_prices() if prices is None else read_prices(prices)
        priced = table if spend == "usd" else None
        frame, lacks = read_by_recipe(files, recipe, pairs(mapped, "--map"), constants, priced)
        found = imported([frame], drop_incomplete=drop_incomplete)
        found = replace(found, notes=(lacks, *found.notes))
    write_observations(found.frame, out)
    print_json(
        wrote=str(out),
        rows=len(found.frame),
        dropped=found.n_dropped,
        columns=list(found.frame.columns),
        notes=list(found.notes),
    )
    if detailed():
        for note in found.notes:
            say(f"note: {note}")
        console().print(f"wrote {len(found.frame):,} rows to {out}")


def mapping_of(mapped: list[str] | None, mapping: Path | None) -> "TableMapping":
    """Return the mapping that --map or --mapping gives."""
    from evalbayes.observations import TableMapping, read_mapping

    if mapping is None:
        return TableMapping(pairs(mapped, "--map"))
    if mapped:
        raise InputError("give --map or --mapping, not both; put all columns into the file")
    return read_mapping(mapping)


@app.command("inspect")
@answering
def inspect(
    files: FilesArgument,
    out: OutOption,
    spend: Annotated[str, Option(help="tokens, usd or hours.")] = "tokens",
    prices: PricesOption = None,
    success: Annotated[float, Option(help="Score from which a run is a success.")] = 1.0,
    scorer: Annotated[str | None, Option(help="Score that counts.")] = None,
    evals: EvalOption = None,
    ai_models: AiModelOption = None,
    effort: Annotated[
        Texts,
        Option(
            help="Elicitation effort, 0 to 1: of all runs (0.3), of an eval "
            "(ctf=0.3) or of a setting (reasoning_effort:high=0.3); repeatable."
        ),
    ] = None,
    by: Annotated[
        str,
        Option(
            help="Settings that keep runs apart: solver,reasoning_effort, "
            "or arguments of the task (task_args for all)."
        ),
    ] = "",
    cap: CapOption = None,
    duplicates: Annotated[str, Option(help="Samples met twice: exclude or keep.")] = "exclude",
    max_megabytes: Annotated[float, Option(help="Logs above this size become errors.")] = 150.0,
    errors: ErrorsOption = None,
    workers: Annotated[int, Option(help="Processes that read.")] = 2,
    checkpoint: Annotated[
        Path | None, Option(help="Folder that lets a killed import resume.")
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Read Inspect logs (.eval and .json), or folders of them; needs the extra `inspect`."""
    from evalfolio.readers import check_ending, read_inspect_logs

    check_ending(out)
    result = read_inspect_logs(
        [str(path) for path in files],
        prices=prices,
        spend=spend,
        success=success,
        scorer=scorer,
        evals=pairs(evals, "--eval") or None,
        ai_models=pairs(ai_models, "--ai-model") or None,
        effort=_efforts(effort),
        cap=None if cap is None else figure("--cap", cap),
        by=by,
        duplicates=duplicates,
        max_megabytes=max_megabytes,
        strict=strict,
        workers=workers,
        checkpoint=checkpoint,
        progress=detailed(),
    )
    _finish(result, out, errors)


@app.command("metr")
@answering
def metr(
    files: FilesArgument,
    out: OutOption,
    spend: Annotated[str, Option(help="hours, tokens or usd.")] = "hours",
    success: Annotated[
        float | None, Option(help="score_cont from which a run is a success.")
    ] = None,
    evals: EvalOption = None,
    ai_models: AiModelOption = None,
    cap: CapOption = None,
    errors: ErrorsOption = None,
    strict: StrictOption = False,
) -> None:
    """Read METR's runs.jsonl files."""
    from evalfolio.readers import check_ending, read_metr_runs

    check_ending(out)
    result = read_metr_runs(
        [str(path) for path in files],
        spend=spend,
        success=success,
        evals=pairs(evals, "--eval") or None,
        ai_models=pairs(ai_models, "--ai-model") or None,
        cap=None if cap is None else figure("--cap", cap),
        strict=strict,
    )
    _finish(result, out, errors)


_EXAMPLES = {
    "--map": "spend=spend_tokens",
    "--set": "cap=2e6",
    "--eval": "popularity=ours",
    "--ai-model": "openai/gpt-5=GPT-5",
    "--effort": "reasoning_effort:high=0.3",
    "--released": "o3=2025-04-16",
    "--task": "cybench=inspect_evals/cybench",
}


def pairs(words: list[str] | None, option: str) -> dict[str, str]:
    """Read `name=value` words.

    >>> pairs(["spend=spend_tokens", "cap=2e6"], "--map")
    {'spend': 'spend_tokens', 'cap': '2e6'}
    """
    found: dict[str, str] = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not equals or not name or not value:
            raise InputError(
                f"{option} must be name=value, got {word!r}; write {_EXAMPLES[option]}"
            )
        if name.strip() in found:
            raise InputError(
                f"{option} {name.strip()} must be given once, got both {found[name.strip()]} and "
                f"{value.strip()}; keep one"
            )
        found[name.strip()] = value.strip()
    return found


def _efforts(words: list[str] | None) -> float | dict[str, float] | None:
    """Read the words of --effort: one number for all runs, or one each for evals and settings."""

    def number(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise InputError(
                f"--effort must be a number from 0 to 1, got {text!r}; write 0.3, ctf=0.3 or "
                "reasoning_effort:high=0.3"
            ) from None

    if words and len(words) == 1 and "=" not in words[0]:
        return number(words[0])
    return {name: number(text) for name, text in pairs(words, "--effort").items()} or None


def _finish(result: "ImportResult", out: Path, errors: Path | None) -> None:
    from evalbayes.whole import whole_file

    if errors is not None:
        with whole_file(errors) as partial:
            result.errors.to_csv(partial, index=False)
    if len(result.errors) and not len(result.runs) and not len(result.counts):
        first = result.errors.iloc[0]
        raise InputError(
            f"{first['log']}: at least one file must be readable, but none of {len(result.errors)}"
            f" is ({first['error']}: {first['message']}); nothing was written to {out}"
        )
    result.write(out)
    outcomes = result.runs["outcome"].value_counts()
    print_json(
        wrote=str(out),
        runs=len(result.runs),
        outcomes={str(name): int(count) for name, count in outcomes.items()},
        files=records(result.counts),
        errors=records(result.errors),
        spend_unit=result.spend_unit,
        notes=list(result.notes),
    )
    if detailed():
        say(result)
        console().print(f"wrote {out}", markup=False)
