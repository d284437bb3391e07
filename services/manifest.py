"""The model manifest: every model that Graft may use, with role, sources, licence, languages and measured rates; and profiles.

Invariants. A manifest that was loaded is whole: each profile names models of the right role, and a model that is made by an
adapter has one base, which is a model of its own. Knows nothing of this machine: what lies there is in `models`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ingest.errors import InputRefused, NotFound

MANIFEST = Path(__file__).with_name("models.toml")


class Role(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    RERANK = "rerank"
    JUDGE = "judge"
    OCR = "ocr"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model's files come from. `kind` says which of the other fields are filled.

    package: `package`, `version`, `member`, `sha256`; hub: `repository`, maybe `revision`; path: `path`;
    installed: `package`; house: none; adapter: `base`, the model that it is merged into, `adapter`, its folder in our own wheel,
    and `sha256` of its weights.
    """

    kind: str
    package: str = ""
    version: str = ""
    member: str = ""
    sha256: str = ""
    bytes: int = 0
    repository: str = ""
    revision: str = ""
    path: str = ""
    base: str = ""
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Rate:
    """A measured share of right answers: `right` of `n` questions, in one language and one style."""

    language: str
    style: str
    right: float
    n: int
    source: str


@dataclass(frozen=True, slots=True)
class Prompts:
    """What the authors of an encoder want before a question and before a passage; None: as its checkpoint says, if it does."""

    query: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the manifest. `context_tokens` is 0 where it means nothing; `prompts` are those of an encoder."""

    name: str
    role: Role
    about: str
    licence: str
    bytes: int
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    sources: tuple[Source, ...]
    context_tokens: int = 0
    rates: tuple[Rate, ...] = ()
    prompts: Prompts = Prompts()

    def rate(self, language: str, style: str) -> float | None:
        """The measured share of right answers in `language` and `style`, or None where nobody measured it."""
        return next((rate.right for rate in self.rates if (rate.language, rate.style) == (language, style)), None)

    @property
    def adapter(self) -> Source | None:
        """The adapter that makes this model out of its base; None for a model that comes as it is."""
        return next((source for source in self.sources if source.kind == "adapter"), None)


@dataclass(frozen=True, slots=True)
class Profile:
    """One choice of models for all roles; a role may have several, the one that always works first."""

    name: str
    about: str
    models: Mapping[Role, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All models and profiles, by name."""

    models: Mapping[str, Model]
    profiles: Mapping[str, Profile]

    def model(self, name: str) -> Model:
        """The entry called `name`. Raises: NotFound."""
        if name not in self.models:
            raise NotFound(f"No model is called {name!r}. There are: {', '.join(self.models)}.")
        return self.models[name]

    def profile(self, name: str) -> Profile:
        """The profile called `name`. Raises: NotFound."""
        if name not in self.profiles:
            raise NotFound(f"No profile is called {name!r}. There are: {', '.join(self.profiles)}.")
        return self.profiles[name]

    def chosen(self, profile: str, role: Role) -> tuple[Model, ...]:
        """The models of one role in a profile."""
        return tuple(self.model(name) for name in self.profile(profile).models.get(role, ()))

    def named(self, name: str) -> tuple[Model, ...]:
        """The models meant by `name`: all of a profile, or the one model. Raises: NotFound."""
        if name in self.profiles:
            return tuple(self.model(one) for names in self.profiles[name].models.values() for one in names)
        if name not in self.models:
            known = ", ".join([*self.profiles, *self.models])
            raise NotFound(f"No model or profile is called {name!r}. There are: {known}.")
        return (self.models[name],)


def load_manifest(path: Path = MANIFEST) -> Manifest:
    """The manifest in `path`. Raises: InputRefused where the file does not follow the form described in `models.toml`."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        models = {name: _model(name, entry) for name, entry in data["models"].items()}
        profiles = {name: _profile(name, entry) for name, entry in data["profiles"].items()}
    except FileNotFoundError as error:
        raise InputRefused(f"There is no model manifest at {path}.") from error
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputRefused(f"The model manifest {path} cannot be read: {error!r}.") from error
    manifest = Manifest(models=models, profiles=profiles)
    for profile in profiles.values():
        for role, names in profile.models.items():
            for name in names:
                if manifest.model(name).role is not role:
                    raise InputRefused(
                        f"The profile {profile.name} in {path} uses {name} as {role}, but it is for {models[name].role}."
                    )
    for model in models.values():
        if model.adapter is not None:
            base = models.get(model.adapter.base)
            if len(model.sources) > 1 or base is None or base.adapter is not None or base.role is not model.role:
                raise InputRefused(
                    f"The model {model.name} in {path} is made by an adapter: that must be its only source, and its base "
                    f"{model.adapter.base!r} another model for {model.role} that is not made by an adapter."
                )
    return manifest


def _model(name: str, entry: Mapping[str, Any]) -> Model:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    fields["role"] = Role(entry["role"])
    fields["sources"] = tuple(Source(**source) for source in entry["sources"])
    fields["rates"] = tuple(Rate(**rate) for rate in entry.get("rates", ()))
    fields["prompts"] = Prompts(**entry.get("prompts", {}))
    return Model(name=name, **fields)


def _profile(name: str, entry: Mapping[str, Any]) -> Profile:
    roles = {key: value for key, value in entry.items() if key != "about"}
    models = {Role(role): (names,) if isinstance(names, str) else tuple(names) for role, names in roles.items()}
    return Profile(name=name, about=entry["about"], models=models)
