"""`evalfolio init`: a commented catalogue to start from."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from evalfolio.cli import options as shared
from evalfolio.cli.console import detailed, print_json, say
from evalfolio.cli.imports import DropOption, MapOption, MappingOption, SetOption, mapping_of, pairs

ExampleOption = Annotated[
    str | None,
    Option(
        help="Start from a published example, its results beside it: cyber, one domain and a half "
        "with real runs, or portfolio, six domains and hours by skill."
    ),
]
ForceOption = Annotated[bool, Option("--force", help="Replace the file if it exists.")]
FromOption = Annotated[
    shared.Paths,
    Option("--from", help="Observations to draft it from: CSV, Parquet, .xlsx; repeatable."),
]
SpendUnitOption = Annotated[
    str | None, Option(help="Unit of spends and caps where no column says it: tokens.")
]


def init(
    path: Annotated[Path, Argument(help="File to write: .toml or .xlsx.")],
    observations: FromOption = None,
    example: ExampleOption = None,
    mapped: MapOption = None,
    constant: SetOption = None,
    mapping: MappingOption = None,
    drop_incomplete: DropOption = False,
    spend_unit: SpendUnitOption = None,
    force: ForceOption = False,
) -> None:
    """Write a catalogue to be edited: every key explained, or drafted from observations."""
    from evalbayes.catalogue import write_template
    from evalbayes.inputs import write_draft
    from evalbayes.observations import imported
    from evalfolio.errors import InputError
    from evalfolio.examples import write_example

    if path.exists() and not force:
        raise InputError(f"{path}: must not exist yet; give another name, or --force to replace it")
    notes: tuple[str, ...] = ()
    given: tuple[Path, ...] = tuple(observations or ())
    if example is not None:
        if observations:
            raise InputError("--example and --from must not both be given; drop one")
        given = write_example(example, path, force=force)
        observed = None
    elif observations:
        found = imported(
            observations,
            mapping_of(mapped, mapping),
            pairs(constant, "--set"),
            drop_incomplete=drop_incomplete,
        )
        observed, notes = found.observations, found.notes
        names = ", ".join(each.name for each in observations)
        write_draft(observed, path, names, spend_unit=spend_unit)
    else:
        reading = {
            "--map": mapped,
            "--set": constant,
            "--mapping": mapping,
            "--drop-incomplete": drop_incomplete,
            "--spend-unit": spend_unit,
        }
        for option, value in reading.items():
            if value:
                raise InputError(
                    f"{option} says how to read observations, got none; give them by --from FILE"
                )
        observed = None
        write_template(path)
    evals = list(observed.evals) if observed else None
    print_json(wrote=str(path), evals=evals, notes=list(notes))
    if detailed():
        for note in notes:
            say(f"note: {note}")
        text = f"wrote {path}; edit it, then run: evalfolio check {path}"
        say(" ".join([text, *map(str, given)]))
        if mapped or constant or mapping or drop_incomplete:
            say(
                "other commands read tables as `evalfolio import table` writes them, with the same "
                "--map, --set, --mapping and --drop-incomplete"
            )
