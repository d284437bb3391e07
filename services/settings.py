"""The product's settings: environment (`GRAFT_…`) over `$GRAFT_HOME/config.toml` over the defaults here, read once.

Nested values are written with two underscores: `GRAFT_CHAT__ADDRESS=http://127.0.0.1:9000/v1`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from ingest.errors import UsageError
from ingest.fusion import Fusion
from ingest.personal_data import EVERY_KIND, PersonalData
from ingest.settings import IngestSettings, OcrSettings, ReadLimits
from services.models import default_models_dir
from services.policy import Unsupported, WeakEvidence

DEFAULT_PORT = 8484


class Section(BaseModel):
    """A group of settings; a name that is not known is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ChatSettings(Section):
    """The chat model: by default the profile's, served by an engine of our own."""

    address: str | None = Field(None, description="OpenAI-compatible base URL of a running engine, used instead of our own")
    key: SecretStr | None = Field(None, description="key for that address")
    model: str | None = Field(None, description="model name at that address")
    path: Path | None = Field(None, description="local folder of a model that our own engine serves instead of the profile's")
    start_engine: bool = Field(True, description="whether `graft serve` starts an engine; without one, answers are quotes")
    context_tokens: int = Field(4096, description="longest prompt and answer that the engine takes, in tokens")


class EmbeddingSettings(Section):
    """The embedding model: by default the profile's."""

    path: str | None = Field(None, description="local folder of a sentence-transformers model")
    address: str | None = Field(None, description="OpenAI-compatible base URL of an embedding service")
    key: SecretStr | None = Field(None, description="key for that address")
    model: str | None = Field(None, description="model name at that address")
    backend: Literal["auto", "fp32", "bf16", "int8"] = Field(
        "auto", description="how an encoder computes; `auto`: the fastest way that finds the same neighbours on this machine"
    )


class RerankerSettings(Section):
    """The cross-encoder that orders the best passages once more: by default the profile's."""

    path: str | None = Field(None, description="local folder of a cross-encoder")


class JudgeSettings(Section):
    """The judges beside the house judge: by default the profile's. One takes part only where `graft train ensemble` shows that it
    helps."""

    path: Path | None = Field(None, description="local folder of a judge that is used instead of the profile's")
    kind: Literal["auto", "nli", "token", "hhem"] = Field(
        "auto", description="what lies in that folder; `auto`: as the checkpoint itself tells"
    )
    house: Path | None = Field(
        None, description="weights of the house judge, as `graft train detector` makes them; without it those that ship"
    )
    chat: bool = Field(False, description="whether the chat model judges as well: some seconds a sentence without a GPU")


class SearchSettings(Section):
    """What a search looks for beside the words of the question, and what it may cost."""

    rerank_ms: float = Field(
        300.0, ge=0, description="milliseconds that the cross-encoder may read for one question; 0 leaves it out"
    )
    fusion: Fusion = Field(
        Fusion.SCORES, description="how words and vectors are weighed: by their scores, or by ranks alone (RRF)"
    )
    glossary: Path | None = Field(
        None, description="CSV file of the company's own terms: term, translation, synonyms; nothing in the index changes with it"
    )


class ReadSettings(Section):
    """What reading one file may cost before it is refused."""

    timeout_s: float = Field(ReadLimits().timeout_s, gt=0, description="seconds that one file may take")
    page_timeout_s: float = Field(
        ReadLimits().page_timeout_s, gt=0, description="seconds until the first page of a file, and from each page to the next"
    )
    memory_mib: int = Field(ReadLimits().memory_mib, gt=0, description="address space of the reading process, in MiB")
    pages: int = Field(ReadLimits().pages, gt=0, description="pages of one file")
    pixels: int = Field(ReadLimits().pixels, gt=0, description="pixels of one image")
    text_characters: int = Field(ReadLimits().text_characters, gt=0, description="characters of one file's text")
    output_mib: int = Field(ReadLimits().output_mib, gt=0, description="what the reading process may answer for one file, in MiB")
    file_mib: int = Field(ReadLimits().file_mib, gt=0, description="size of one file, in MiB")
    unpacked_mib: int = Field(ReadLimits().unpacked_mib, gt=0, description="what an Office file may unpack to, in MiB")


class OcrSection(Section):
    """How text is read from pictures: scans, images, and pages whose text layer is garbage."""

    engine: Literal["rapidocr", "tesseract", "none"] = Field(
        OcrSettings().engine, description="what reads pictures; `none`: scans stay without text, and a warning says so"
    )
    languages: str = Field(OcrSettings().languages, description="for Tesseract: the trained data to use, joined by `+`")


class ChunkSettings(Section):
    """How documents are split into passages. A change splits all documents again at the next start, without reading a file."""

    tokens: int = Field(
        IngestSettings().chunk_tokens,
        ge=30,
        le=4000,
        description="longest passage in tokens of the embedder: 210 are some 900 characters of English or 320 of Chinese",
    )


class PrivacySettings(Section):
    """What is shown of personal data. The stored text and the files stay what they are."""

    mask: tuple[PersonalData | Literal["all"], ...] = Field(
        (), description="kinds of personal data that are masked in hits, answers and training samples; `all` for every kind"
    )

    @property
    def kinds(self) -> frozenset[PersonalData]:
        """The kinds that are masked."""
        return EVERY_KIND if "all" in self.mask else frozenset(PersonalData(kind) for kind in self.mask)


class AnswerSettings(Section):
    """How an answer is made."""

    passages: int = Field(3, description="passages that the chat model is given")
    quotes: int = Field(2, description="sentences that a quoted answer shows")
    weak_evidence: WeakEvidence = Field(
        WeakEvidence.REFUSE,
        description="evidence too weak: `refuse`; `ask` back as well; `quote` what is nearest; `mark`: answer, and say so",
    )
    unsupported: Unsupported = Field(
        Unsupported.QUOTE,
        description="sentences not borne out: `mark`; `remove`; `quote` in their place; `regenerate` once, else quote",
    )
    answer_tokens: int = Field(160, description="longest generated answer, in tokens")
    timeout_s: float = Field(120.0, description="seconds that the engine may take for one answer")
    prompts: Literal["1", "2"] = Field(
        "1", description="version of the prompts; `2` marks every line of a document, for models that were not trained on `1`"
    )


class TrainingSettings(Section):
    """How training data and adapters are made and served."""

    protected_cases: tuple[Path, ...] = Field(
        (), description="files of your evaluation cases: no training sample may repeat a question of theirs"
    )
    serving: Literal["auto", "merged", "lora"] = Field(
        "auto", description="how the live adapter is served: merged by an engine of its own, or as LoRA by the present one"
    )


class Settings(BaseSettings):
    """All settings of one process."""

    model_config = SettingsConfigDict(env_prefix="GRAFT_", env_nested_delimiter="__", extra="forbid", frozen=True)

    home: Path = Field(Path("~/.graft"), description="folder of all state")
    profile: Literal["mini", "small", "standard"] = Field("mini", description="which models are used where no other is named")
    host: str = Field("127.0.0.1", description="address that `graft serve` listens on")
    port: int = Field(DEFAULT_PORT, description="port that `graft serve` listens on")
    database: str | None = Field(None, description="SQLAlchemy URL of the database; default: SQLite in the home folder")
    models_dir: Path = Field(default_factory=default_models_dir, description="folder of downloaded models, shared by all homes")
    engine_python: Path | None = Field(None, description="Python of the engine's environment; default: the sibling environment")
    chat: ChatSettings = ChatSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    reranker: RerankerSettings = RerankerSettings()
    judge: JudgeSettings = JudgeSettings()
    search: SearchSettings = SearchSettings()
    read: ReadSettings = ReadSettings()
    ocr: OcrSection = OcrSection()
    chunk: ChunkSettings = ChunkSettings()
    privacy: PrivacySettings = PrivacySettings()
    answer: AnswerSettings = AnswerSettings()
    training: TrainingSettings = TrainingSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library names the parameters
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Adds the home folder's TOML file below the environment."""
        home = Path(os.environ.get("GRAFT_HOME", "~/.graft")).expanduser()
        toml = TomlConfigSettingsSource(settings_cls, home / "config.toml")
        return (init_settings, env_settings, toml)

    @property
    def ingest(self) -> IngestSettings:
        """The part that reading and splitting needs."""
        return IngestSettings(
            limits=ReadLimits(**self.read.model_dump()),
            ocr=OcrSettings(**self.ocr.model_dump()),
            chunk_tokens=self.chunk.tokens,
        )

    @property
    def database_url(self) -> str:
        """Where the catalog is."""
        return self.database or f"sqlite:///{self.home / 'graft.sqlite'}"


def load_settings(**overrides: Any) -> Settings:
    """The settings, with `~` in folders resolved.

    Raises:
        UsageError: a value cannot be used, or a name is unknown; the message names it.
    """
    try:
        settings = Settings(**overrides)
    except (ValidationError, ValueError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        name = ".".join(map(str, first["loc"])) or "config.toml"
        raise UsageError(f"setting {name}: {first['msg']}. `graft config show` lists all settings") from error
    return settings.model_copy(
        update={"home": settings.home.expanduser().resolve(), "models_dir": settings.models_dir.expanduser().resolve()}
    )
