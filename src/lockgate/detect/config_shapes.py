"""Shapes of settings in which several keys together make a loader import or look up what one of them names.

Sources: the loading code of sentence-transformers (Dense, WordEmbeddings, Router, cross encoders), PEFT
(`megatron_core`), jsonargparse (`class_path`), the latent-diffusion configurations (`target` and `params`), Haystack,
AutoGen, MLflow, ONNX Runtime GenAI, MLX (`model_file`) and LangChain's prompts and chains (`_type`).
"""

from typing import cast

from lockgate.detect.part import Notes

MAX_NAME = 300
_PLAIN_MEGATRON = "megatron.core"
_ML_MODEL = "MLmodel"
_NOTHING = frozenset({"", "null", "~", "None"})

_CHAINS = frozenset(
    {"llm_bash_chain", "llm_math_chain", "pal_chain", "sql_database_chain", "llm_requests_chain", "api_chain"}
)
"""Chains of LangChain that run what a model answers, or send it somewhere."""
_JINJA = "jinja2"

IMPORTED = frozenset(
    {"activation_function", "activation_fn", "sbert_ce_default_activation_function", "tokenizer_class", "class_path"}
)
"""Keys whose value is imported where it is a dotted name; a bare one is looked up in a fixed set."""

LIBRARIES = frozenset({"custom_ops_library", "custom_op_library", "op_library_filename"})
"""Keys that name a native library to load."""

_IMPORTED_BESIDE = {"target": "params", "type": "init_parameters", "provider": "component_type"}
"""Keys that are imported only where the other key stands beside them."""


def note_shapes(fields: dict[str, object], notes: Notes, place: str, file: str) -> None:
    """Note what one mapping of a settings file makes a loader import.

    Args:
        fields: The mapping; of duplicate keys the last one.
        notes: Where to note it.
        place: Where the mapping lies.
        file: The file's name.
    """
    for key in IMPORTED & fields.keys():
        _dotted(fields[key], notes, f"{place}/{key}")
    for key, beside in _IMPORTED_BESIDE.items():
        if key in fields and beside in fields:
            _dotted(fields[key], notes, f"{place}/{key}")
    for key in LIBRARIES & fields.keys():
        for text in _texts(fields[key]):
            notes.mention("code", f"{key}: {text[:MAX_NAME]}", f"{place}/{key}")
    if "structure" in fields and isinstance(fields.get("types"), list | dict):
        for text in _texts(fields["types"]):
            notes.mention("class", text[:MAX_NAME], f"{place}/types")
    _scripts(fields, notes, place)
    if "_type" in fields:
        _langchain(fields, notes, place)
    if file == _ML_MODEL:
        _ml_model(fields, notes, place)


def _scripts(fields: dict[str, object], notes: Notes, place: str) -> None:
    """Keys that name a module to import or a script to run."""
    core, script = fields.get("megatron_core"), fields.get("model_file")
    if isinstance(core, str) and core not in _NOTHING and core != _PLAIN_MEGATRON:
        notes.mention("code", f"megatron_core: {core[:MAX_NAME]}", f"{place}/megatron_core")
    if isinstance(script, str) and script.endswith((".py", ".pyc", ".so")):
        notes.mention("code", f"model_file: {script[:MAX_NAME]}", f"{place}/model_file")


def _langchain(fields: dict[str, object], notes: Notes, place: str) -> None:
    """Prompts name files to read and may be Jinja templates; some chains run what the model says."""
    if fields["_type"] in _CHAINS:
        notes.mention("code", f"_type: {fields['_type']}", f"{place}/_type")
    for key, value in fields.items():
        if key.endswith("_path") and isinstance(value, str) and value not in _NOTHING:
            notes.mention("path", value[:MAX_NAME], f"{place}/{key}")
        elif (
            key in {"template", "prefix", "suffix"}
            and isinstance(value, str)
            and fields.get("template_format") == _JINJA
        ):
            notes.mention("template", value, f"{place}/{key}")


def _ml_model(fields: dict[str, object], notes: Notes, place: str) -> None:
    """`code` puts a folder of the author's on the import path; `model_code_path` is a script that is run."""
    for key in ("code", "model_code_path"):
        value = fields.get(key)
        if isinstance(value, str) and value not in _NOTHING:
            notes.mention("code", f"{key}: {value[:MAX_NAME]}", f"{place}/{key}")


def _dotted(value: object, notes: Notes, place: str) -> None:
    # What is no path of identifiers cannot be imported: an address, a file, a sentence.
    if isinstance(value, str) and "." in value and all(part.isidentifier() for part in value.split(".")):
        notes.mention("class", value[:MAX_NAME], place)


def _texts(value: object) -> list[str]:
    """The texts of a value, of a list, or of a mapping's values; a mapping may stand as a list of pairs."""
    if isinstance(value, str):
        return [] if value in _NOTHING else [value]
    if isinstance(value, dict):
        return _texts(list(cast("dict[str, object]", value).values()))
    if not isinstance(value, list):
        return []
    items = cast("list[object]", value)
    pairs = [cast("tuple[object, ...]", item)[-1] if isinstance(item, tuple) else item for item in items]
    return [text for item in pairs if isinstance(item, str) for text in _texts(item)]
