"""What is known about a model, whatever file said it."""

import msgspec


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about one model, as its files state them. Nothing is guessed: what nobody states stays empty.

    Attributes:
        name: What its author calls it.
        architecture: For instance `llama` or `LlamaForCausalLM`.
        family: For instance `transformer` or `lora`.
        task: For instance `text-generation`.
        quantisation: Type of most weights, for instance `Q4_K` or `BF16`.
        parameters: How many weights there are; 0 if unknown.
        licence: As written, not always an SPDX id.
        base: Names of the models that it was made from.
        datasets: Names of the data sets that it was trained on.
        languages: Language tags.
    """

    name: str = ""
    architecture: str = ""
    family: str = ""
    task: str = ""
    quantisation: str = ""
    parameters: int = 0
    licence: str = ""
    base: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def completed(self, other: "ModelCard") -> "ModelCard":
        """This card with what only `other` states."""
        values = {field: getattr(self, field) or getattr(other, field) for field in self.__struct_fields__}
        return ModelCard(**values)
