"""The registry: what an adapter is made of, which states follow which, whose it is, and what a crash leaves behind."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from finetune.gate import decide
from finetune.registry import AdapterRegistry
from finetune.schema import adapters
from finetune.types import AdapterState
from ingest.errors import Conflict, InputRefused, NotFound
from ingest.types import Access
from tests.adapters import PARITY, approved, candidate, dataset, registry_in

ADMINISTRATOR = Access.everything()


@pytest.fixture
def registry(tmp_path: Path) -> AdapterRegistry:
    return registry_in(tmp_path / "home")


def states(registry: AdapterRegistry) -> dict[str, str]:
    return {adapter.name: str(adapter.state) for adapter in registry.list(access=ADMINISTRATOR)}


def set_flags(registry: AdapterRegistry, adapter_id: str, *flags: str) -> None:
    with registry._engine.begin() as connection:
        connection.execute(adapters.update().where(adapters.c.id == adapter_id).values(flags=list(flags)))


# ---------------------------------------------------------------------------------------------------------------- registering


def test_a_finished_training_becomes_a_candidate_with_its_files(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path))
    folder = registry.files.path(adapter.id)
    assert adapter.id.startswith("ad_")
    assert len(adapter.id) == 15
    assert (adapter.state, adapter.base_model, adapter.dataset, adapter.method) == ("candidate", "tiny", "ds_1", "lora")
    assert adapter.config["rank"] == 2
    assert adapter.metrics["held_out"]["rephrased"]["n"] == 80
    assert {path.name for path in folder.iterdir()} == {
        "adapter_model.safetensors", "adapter_config.json", "result.json", "curves.png", "predictions.jsonl", "card.md",
    }  # fmt: skip
    assert "+0.600 [+0.500, +0.700] of 80 questions" in (folder / "card.md").read_text()
    assert registry.files.verify(adapter) == folder


def test_no_folder_of_this_machine_is_named_in_an_adapter(registry: AdapterRegistry, tmp_path: Path) -> None:
    folder = registry.files.path(registry.register(candidate(tmp_path)).id)
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    assert str(tmp_path) not in (folder / "card.md").read_text()


def test_the_same_weights_of_the_same_data_are_the_same_adapter(registry: AdapterRegistry, tmp_path: Path) -> None:
    first = registry.register(candidate(tmp_path / "a", seed=1))
    assert registry.register(candidate(tmp_path / "b", seed=1)) == first
    assert registry.register(candidate(tmp_path / "c", seed=2)).id != first.id
    assert registry.register(candidate(tmp_path / "d", seed=1, of=dataset(name="ds_2"))).id != first.id


def test_a_training_that_has_not_ended_is_refused(registry: AdapterRegistry, tmp_path: Path) -> None:
    unfinished = candidate(tmp_path)
    (unfinished.run / "result.json").unlink()
    with pytest.raises(InputRefused, match=r"left no result\.json"):
        registry.register(unfinished)


def test_weights_in_any_other_form_than_safetensors_are_refused(registry: AdapterRegistry, tmp_path: Path) -> None:
    pickled = candidate(tmp_path)
    (pickled.run / "adapter" / "adapter_model.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(InputRefused, match="no safetensors file"):
        registry.register(pickled)
    assert not list(registry.files.folder.iterdir())


def test_files_that_were_changed_are_not_served(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path))
    config = registry.files.path(adapter.id) / "adapter_config.json"
    config.write_text(config.read_text() + " ")
    with pytest.raises(Conflict, match=r"adapter_config\.json is not the one that was registered"):
        registry.files.verify(adapter)
    config.unlink()
    with pytest.raises(Conflict, match=r"adapter_config\.json is missing"):
        registry.files.verify(adapter)


def test_an_archive_holds_the_adapter_and_not_what_can_be_made_again(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path))
    registry.files.merged(adapter.id).mkdir()
    (registry.files.merged(adapter.id) / "model.safetensors").write_bytes(b"large")
    packed = io.BytesIO()
    registry.files.pack(adapter.id, packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive:
        assert f"{adapter.id}/adapter_model.safetensors" in archive.getnames()
        assert not [name for name in archive.getnames() if "merged" in name]
        assert {entry.uname for entry in archive} == {""}


# ----------------------------------------------------------------------------------------------------------------------- rights


def test_an_adapter_is_for_those_who_hold_a_group_of_each_of_its_documents(registry: AdapterRegistry, tmp_path: Path) -> None:
    of_two = dataset(("hr", "board"), ("sales",))
    adapter = registry.register(candidate(tmp_path, of=of_two))
    for access in (Access.of("hr", "sales"), Access.of("board", "sales"), ADMINISTRATOR):
        assert registry.get(adapter.id, access=access) == adapter
        assert registry.list(access=access) == [adapter]
    for access in (Access.of("hr", "board"), Access.of("sales"), Access.of()):
        assert registry.list(access=access) == []
        with pytest.raises(NotFound) as hidden:
            registry.get(adapter.id, access=access)
        with pytest.raises(NotFound) as absent:
            registry.get("ad_000000000000", access=access)
        assert str(hidden.value).replace(adapter.id, "") == str(absent.value).replace("ad_000000000000", "")


def test_a_live_adapter_is_hidden_from_those_who_may_not_use_it(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = approved(registry, tmp_path, of=dataset(("hr",)))
    registry.promote(adapter.id)
    assert registry.live(access=Access.of()) is None
    assert registry.live(access=Access.of("hr")) is not None


# ----------------------------------------------------------------------------------------------------------------------- states


def test_a_candidate_cannot_be_promoted(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path))
    with pytest.raises(Conflict, match="is candidate: from there it can only become approved"):
        registry.promote(adapter.id)


def test_the_gate_keeps_its_decision_either_way(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path, held_out={}))
    refused = registry.judge(adapter.id, decide(adapter.metrics, PARITY), PARITY)
    assert refused.state is AdapterState.CANDIDATE
    assert not refused.metrics["approval"]["passed"]
    forced = registry.judge(adapter.id, decide(adapter.metrics, PARITY, force_reason="a trial"), PARITY)
    assert forced.state is AdapterState.APPROVED
    assert forced.metrics["approval"]["force_reason"] == "a trial"
    assert forced.parity == PARITY
    assert "forced: a trial" in (registry.files.path(adapter.id) / "card.md").read_text()


def test_what_is_approved_is_not_judged_again(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = approved(registry, tmp_path)
    with pytest.raises(Conflict, match="is approved: from there it can only become live"):
        registry.judge(adapter.id, decide(adapter.metrics, PARITY), PARITY)


def test_one_adapter_is_live_at_a_time(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    registry.promote(first.id)
    registry.promote(second.id)
    assert states(registry) == {"adapter 1": "retired", "adapter 2": "live"}


def test_promoting_the_live_adapter_again_changes_nothing(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = approved(registry, tmp_path)
    assert registry.promote(adapter.id) == registry.promote(adapter.id)
    registry.roll_back()
    assert states(registry) == {"adapter 0": "retired"}


def test_rolling_back_goes_the_way_back_to_none(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    registry.promote(first.id)
    registry.promote(second.id)
    earlier = registry.roll_back()
    assert earlier is not None
    assert earlier.id == first.id
    assert states(registry) == {"adapter 1": "live", "adapter 2": "retired"}
    assert registry.roll_back() is None
    assert states(registry) == {"adapter 1": "retired", "adapter 2": "retired"}
    with pytest.raises(Conflict, match="nothing to roll back"):
        registry.roll_back()


def test_a_retired_adapter_may_be_promoted_again(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    for adapter in (first, second, first):
        registry.promote(adapter.id)
    earlier = registry.roll_back()
    assert earlier is not None
    assert earlier.id == second.id
    assert registry.roll_back() is None


# ------------------------------------------------------------------------------------------------------------ removed documents


def test_what_learned_from_a_removed_document_is_promoted_only_by_force(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = approved(registry, tmp_path)
    set_flags(registry, adapter.id, "travel.pdf was removed")
    with pytest.raises(Conflict, match=r"travel\.pdf was removed"):
        registry.promote(adapter.id)
    assert registry.promote(adapter.id, force=True).state is AdapterState.LIVE


def test_a_live_adapter_stays_live_and_shows_the_flag(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = approved(registry, tmp_path)
    registry.promote(adapter.id)
    set_flags(registry, adapter.id, "travel.pdf was removed")
    live = registry.live(access=ADMINISTRATOR)
    assert live is not None
    assert live.flags == ("travel.pdf was removed",)


def test_a_rollback_passes_over_what_learned_from_a_removed_document(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second, third = (approved(registry, tmp_path, seed=seed) for seed in (1, 2, 3))
    for adapter in (first, second, third):
        registry.promote(adapter.id)
    set_flags(registry, second.id, "travel.pdf was removed")
    earlier = registry.roll_back()
    assert earlier is not None
    assert earlier.id == first.id


def test_an_adapter_of_an_incomplete_data_set_begins_with_the_flag(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path, of=dataset(incomplete="travel.pdf was removed")))
    assert adapter.flags == ("travel.pdf was removed",)


def test_texts_of_removed_documents_do_not_stay_with_the_adapter(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second = (registry.register(candidate(tmp_path, seed=seed)) for seed in (1, 2))
    registry.forget_texts([first.id])
    assert not (registry.files.path(first.id) / "predictions.jsonl").exists()
    assert (registry.files.path(second.id) / "predictions.jsonl").exists()
    assert registry.files.verify(first)
    set_flags(registry, second.id, "travel.pdf was removed")  # and then the process was killed
    registry.reconcile()
    assert not (registry.files.path(second.id) / "predictions.jsonl").exists()


# ---------------------------------------------------------------------------------------------------------------------- crashes


def test_a_folder_without_a_row_is_removed_and_can_be_registered_again(registry: AdapterRegistry, tmp_path: Path) -> None:
    made = candidate(tmp_path)
    adapter = registry.register(made)
    (registry.files.folder / ".ad_111111111111.part").mkdir()
    with registry._engine.begin() as connection:
        connection.execute(adapters.delete())
    assert registry.reconcile() == []
    assert not list(registry.files.folder.iterdir())
    assert registry.register(made).id == adapter.id


def test_a_half_made_folder_does_not_hinder_the_next_try(registry: AdapterRegistry, tmp_path: Path) -> None:
    made = candidate(tmp_path)
    adapter = registry.register(made)
    with registry._engine.begin() as connection:
        connection.execute(adapters.delete())
    (registry.files.path(adapter.id) / "stray").write_text("of a killed process")
    again = registry.register(made)
    assert not (registry.files.path(again.id) / "stray").exists()


def test_a_live_adapter_that_lost_its_files_is_retired_and_nobody_takes_its_place(
    registry: AdapterRegistry, tmp_path: Path
) -> None:
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    registry.promote(first.id)
    registry.promote(second.id)
    (registry.files.path(second.id) / "adapter_model.safetensors").unlink()
    (told,) = registry.reconcile()
    assert second.id in told
    assert states(registry) == {"adapter 1": "retired", "adapter 2": "retired"}
    assert registry.live(access=ADMINISTRATOR) is None


def test_an_earlier_adapter_that_lost_its_files_is_passed_over(registry: AdapterRegistry, tmp_path: Path) -> None:
    first, second = (approved(registry, tmp_path, seed=seed) for seed in (1, 2))
    registry.promote(first.id)
    registry.promote(second.id)
    (registry.files.path(first.id) / "adapter_model.safetensors").unlink()
    registry.reconcile()
    assert states(registry)["adapter 2"] == "live"
    assert registry.roll_back() is None


def test_files_that_were_lost_come_back_with_the_training(registry: AdapterRegistry, tmp_path: Path) -> None:
    adapter = registry.register(candidate(tmp_path / "a"))
    (registry.files.path(adapter.id) / "adapter_model.safetensors").unlink()
    again = registry.register(candidate(tmp_path / "b"))
    assert again.id == adapter.id
    assert registry.files.verify(again)
