"""Reads what a model's folder says about it: `config.json`, `adapter_config.json` and the head of `README.md`.

Source: the conventions of Hugging Face model repositories (model card metadata, configuration files).
"""

import json
from typing import cast

from lockgate.core import strict_yaml
from lockgate.core.errors import ConfigError
from lockgate.supply.bom.card import ModelCard

CONFIG, ADAPTER, README = "config.json", "adapter_config.json", "README.md"
NAMES = (CONFIG, ADAPTER, README)
MAX_BYTES = 1 << 20
_MAX_ITEMS = 100


def read_snapshot(bodies: dict[str, bytes]) -> ModelCard:
    """Put together what the files of a folder say; a file that cannot be understood says nothing.

    Args:
        bodies: Content by name, of those in `NAMES` that are there.
    """
    card = _readme(bodies[README]) if README in bodies else ModelCard()
    for name, read in ((CONFIG, _config), (ADAPTER, _adapter)):
        if name in bodies:
            card = read(_json(bodies[name])).completed(card)
    return card


def _config(found: dict[str, object]) -> ModelCard:
    quantised = found.get("quantization_config")
    method = ""
    if isinstance(quantised, dict):
        facts = cast("dict[str, object]", quantised)
        bits = facts.get("bits")
        method = " ".join(filter(None, (_one(facts.get("quant_method")), f"{bits} bit" if bits else "")))
    architectures = _many(found.get("architectures"))
    return ModelCard(
        architecture=architectures[0] if architectures else "",
        family=_one(found.get("model_type")),
        quantisation=method or _one(found.get("torch_dtype")) or _one(found.get("dtype")),
    )


def _adapter(found: dict[str, object]) -> ModelCard:
    return ModelCard(
        family=_one(found.get("peft_type")).lower(),
        task=_one(found.get("task_type")),
        base=_many(found.get("base_model_name_or_path")),
    )


def _readme(body: bytes) -> ModelCard:
    if not body.startswith(b"---\n"):
        return ModelCard()
    head, ended, _ = body[4:].partition(b"\n---")
    try:
        found = strict_yaml.load(head, name=README) if ended else None
    except ConfigError:
        return ModelCard()
    if not isinstance(found, dict):
        return ModelCard()
    facts = cast("dict[str, object]", found)
    return ModelCard(
        task=_one(facts.get("pipeline_tag")),
        licence=_one(facts.get("license_name")) or _one(facts.get("license")),
        base=_many(facts.get("base_model")),
        datasets=_many(facts.get("datasets")),
        languages=_many(facts.get("language")),
    )


def _json(body: bytes) -> dict[str, object]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}


def _one(value: object) -> str:
    return value[:500] if isinstance(value, str) else ""


def _many(value: object) -> tuple[str, ...]:
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    return tuple(item[:500] for item in items[:_MAX_ITEMS] if isinstance(item, str) and item)
