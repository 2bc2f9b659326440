"""What is missing on this machine, and what to do about it."""

import datetime as dt
import importlib.util
import shutil
import stat
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec

from lockgate.core.config_supply import DependencyConfig
from lockgate.core.errors import LockgateError
from lockgate.core.home import home
from lockgate.core.project import open_project
from lockgate.guard.weights import verify_weights
from lockgate.supply.code.classic import bandit_version
from lockgate.supply.deps import Database, default_folder
from lockgate.train.sandbox import find_sandbox

MIN_FREE_BYTES = 1 << 30


class Health(StrEnum):
    """OK, DEGRADED (works with less protection, and says so in the evidence) or MISSING (a command will fail)."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


class Symptom(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        name: What it is.
        health: How it is.
        detail: What was seen.
        remedy: What to do; empty when nothing is wrong.
    """

    name: str
    health: Health
    detail: str
    remedy: str = ""


def diagnose(folder: Path | None) -> tuple[Symptom, ...]:
    """Look at this machine, and at the project in `folder` when there is one."""
    examined: list[Callable[[], Symptom]] = [_python, _guard_weights, _bubblewrap, _embedded_model]
    examined += [_advisories, _bandit, _git, _home, _disk]
    symptoms = [look() for look in examined]
    if folder is not None:
        symptoms += _project(folder)
    return tuple(symptoms)


def _python() -> Symptom:
    version = ".".join(map(str, sys.version_info[:3]))
    return Symptom("python", Health.OK, f"{version} at {sys.executable}")


def _guard_weights() -> Symptom:
    try:
        files = verify_weights()
    except LockgateError as error:
        return Symptom("guard weights", Health.MISSING, error.message, error.remedy)
    return Symptom("guard weights", Health.OK, f"{files} files as published")


def _bubblewrap() -> Symptom:
    found = find_sandbox()
    if found.kind == "bubblewrap":
        return Symptom("bubblewrap", Health.OK, "training jobs run isolated")
    remedy = "apt-get install bubblewrap; in a container, allow user namespaces."
    return Symptom("bubblewrap", Health.DEGRADED, f"training jobs run without isolation: {found.reason}", remedy)


def _embedded_model() -> Symptom:
    if importlib.util.find_spec("xllamacpp"):
        return Symptom("embedded model", Health.OK, "xllamacpp is installed")
    remedy = "pip install 'lockgate[embedded]', or point serve.upstream at an OpenAI-compatible endpoint."
    return Symptom("embedded model", Health.DEGRADED, "xllamacpp is not installed", remedy)


def _advisories() -> Symptom:
    remedy = "lockgate db update --from SOURCE, for instance OSV's all.zip of PyPI."
    try:
        with Database(default_folder()) as database:
            info = database.info
    except LockgateError as error:
        return Symptom("advisories", Health.DEGRADED, error.message, remedy)
    age = dt.datetime.now(dt.UTC) - info.updated_at
    if age > dt.timedelta(days=DependencyConfig().max_update_age_days):
        return Symptom("advisories", Health.DEGRADED, f"last updated {age.days} days ago", remedy)
    return Symptom("advisories", Health.OK, f"{info.advisories:,}, the newest of {info.data_at:%Y-%m-%d}")


def _bandit() -> Symptom:
    if version := bandit_version():
        return Symptom("bandit", Health.OK, version)
    remedy = "pip install 'lockgate[code]', so that LG-SUPPLY-115 can look for the classic bugs of code."
    return Symptom("bandit", Health.DEGRADED, "not installed", remedy)


def _git() -> Symptom:
    if path := shutil.which("git"):
        return Symptom("git", Health.OK, path)
    remedy = "Install git, so that provenance names the commit that was trained from."
    return Symptom("git", Health.DEGRADED, "not found", remedy)


def _home() -> Symptom:
    folder = home()
    if not folder.exists():
        return Symptom("keys", Health.OK, f"{folder} is created on first use")
    if folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Symptom("keys", Health.DEGRADED, f"{folder} is open to others", f"chmod 700 {folder}")
    return Symptom("keys", Health.OK, f"{folder} is private")


def _disk() -> Symptom:
    free = shutil.disk_usage(Path.cwd()).free
    if free < MIN_FREE_BYTES:
        return Symptom("disk", Health.MISSING, f"{free >> 20:,} MiB free", "Free at least 1 GiB.")
    return Symptom("disk", Health.OK, f"{free >> 30:,} GiB free")


def _project(folder: Path) -> list[Symptom]:
    try:
        project = open_project(folder)
    except LockgateError as error:
        return [Symptom("project", Health.MISSING, error.message, error.remedy)]
    symptoms = [Symptom("project", Health.OK, f"{project.config.project} in {project.root}")]
    if project.config.data and not (project.root / project.config.data.manifest).is_file():
        remedy = f"lockgate manifest {folder}"
        symptoms.append(Symptom("manifest", Health.MISSING, f"{project.config.data.manifest} is missing", remedy))
    for model in project.config.models:
        if not (project.root / model.path).is_file():
            remedy = f"Put the file with SHA-256 {model.sha256} there."
            symptoms.append(Symptom("model", Health.MISSING, f"{model.path} is missing", remedy))
    return symptoms
