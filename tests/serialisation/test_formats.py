"""Stored files of other versions: an older form is read or refused, a later one refused, in words.

The sentence names the file, says whether an earlier or a later evalfolio wrote it, and what to do.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from evalbayes import Menu, Posterior
from evalfolio.certificates.verifier import Refused, proof
from evalfolio.errors import InputError
from evalfolio.plans.plan import Plan
from evalfolio.programmes.programme import Programme
from evalfolio.record.record import Record

EARLIER, LATER, NONE = "an earlier one wrote", "a later evalfolio writes (upgrade", "no evalfolio"


def change(path: Path, part: Callable[[dict[str, Any]], object]) -> None:
    """Change the head of a stored file, of JSON or of HDF5, in place."""
    if path.suffix == ".nc":
        with h5py.File(path, "r+") as file:
            head = json.loads(file.attrs["evalfolio"])
            part(head)
            file.attrs["evalfolio"] = json.dumps(head)
        return
    head = json.loads(path.read_text())
    part(head)
    path.write_text(json.dumps(head))


@pytest.fixture
def folder(programme_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(programme_folder, tmp_path / "plan"))


READERS: tuple[tuple[str, Callable[[Path], object], str], ...] = (
    ("posterior.nc", Posterior.load, "fit again"),
    ("start.nc", lambda path: Programme.load(path.parent), "fit again"),
    ("menu/menu.json", lambda path: Menu.load(path.parent), "make the menu again"),
    ("menu/menu.json", lambda path: Plan.load(path.parents[1]), "make the menu again"),
    ("plan.json", Record.load, "make the plan again"),
    ("plan.json", lambda path: Plan.load(path.parent), "make the plan again"),
    ("programme.json", lambda path: Programme.load(path.parent), "plan again"),
)


@pytest.mark.parametrize(
    ("found", "who"), [(0, EARLIER), (99, LATER), ("2", NONE), (2.5, NONE), ([], NONE)]
)
@pytest.mark.parametrize(
    ("name", "read", "mend"), READERS, ids=[f"{k}-{row[0]}" for k, row in enumerate(READERS)]
)
def test_a_file_of_another_format_is_refused_in_one_sentence(
    name: str, read: Callable[[Path], object], mend: str, found: Any, who: str, folder: Path
) -> None:
    def part(head: dict[str, Any]) -> None:
        assert isinstance(head["format"], int), "every stored file says its format"
        head["format"] = found
        head["of later"] = 1  # what a later form may hold, and must not be told instead

    read(folder / name)
    change(folder / name, part)
    with pytest.raises(InputError) as error:
        read(folder / name)
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 400
    for told in (str(folder), "format must be", f"got {found!r}", who, mend):
        assert told in text, (told, text)


@pytest.mark.parametrize("found", [0, 99, "2", None])
def test_a_certificate_of_another_format_proves_nothing(found: Any, folder: Path) -> None:
    path = folder / "certificate.json"
    proof(json.loads(path.read_text()))
    change(path, lambda head: head.update(format=found))
    with pytest.raises(Refused, match=r"its format is .* which a verifier of 1 cannot read"):
        proof(json.loads(path.read_text()))


def test_a_posterior_from_before_its_later_parts_is_read(folder: Path) -> None:
    """As written before people's times, studies and attempts were kept."""
    whole = Posterior.load(folder / "posterior.nc")

    def older(head: dict[str, Any]) -> None:
        for key in ("human_minutes", "studies", "attempts"):
            head.pop(key, None)

    change(folder / "posterior.nc", older)
    back = Posterior.load(folder / "posterior.nc")
    assert back.attempts is None
    assert dict(back.human_minutes) == {}
    for key, draws in whole.draws.items():
        assert (back.draws[key] == draws).all()


def test_a_menu_from_before_its_later_parts_is_read(folder: Path) -> None:
    """As written before shared purchases, tariffs and evals without an anchor were kept."""

    def older(head: dict[str, Any]) -> None:
        assert head["format"] == 1
        for key in ("shared", "tariffs", "no_anchor"):
            assert not head.pop(key, None), "this menu has none"

    change(folder / "menu/menu.json", older)
    back = Menu.load(folder / "menu")
    assert back.shared == ()
    assert back.tariffs == ()
    assert list(back.options.index) == list(Plan.load(folder).menu.options.index)


def test_a_plan_from_before_its_later_parts_is_read_and_says_the_same(folder: Path) -> None:
    """Whatever the record has a default for was not kept at first."""
    later = {key for key, field in Record.model_fields.items() if not field.is_required()}
    assert {"spendable", "shared", "split"} <= later
    whole = Record.load(folder)

    def older(record: dict[str, Any]) -> None:
        for key in later:
            record.pop(key, None)

    change(folder / "plan.json", older)
    back = Record.load(folder)
    assert back.value == whole.value
    assert back.choices == whole.choices


@pytest.mark.parametrize("key", [k for k, f in Record.model_fields.items() if f.is_required()])
def test_a_plan_that_lacks_what_is_needed_is_refused_by_its_name(key: str, folder: Path) -> None:
    change(folder / "plan.json", lambda record: record.pop(key))
    with pytest.raises(InputError, match=rf"plan\.json: '{key}' must be there.*make the plan"):
        Record.load(folder)


def test_a_programme_keeps_what_a_later_log_adds(folder: Path) -> None:
    """Steps may hold more than is read here: they are kept as they are and written again."""
    change(folder / "programme.json", lambda log: log["steps"][0].update(note="added"))
    assert Programme.load(folder).steps[0]["note"] == "added"
