"""LG-SUPPLY-010."""

from collections.abc import Iterator
from typing import ClassVar

import re2

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.detect.part import Mention
from lockgate.detect.pickle_allow import may_reference
from lockgate.supply.allowed import keras_names
from lockgate.supply.subject import ModelFile

_MAX_SHOWN = 120
_KERAS_MODULE = re2.compile(
    rb"(?:keras|keras\.src|tf_keras|tf_keras\.src|tensorflow\.keras|tensorflow\.python\.keras)"
    rb"(?:\.(?:engine|layers|models|initializers|optimizers|schedules|losses|metrics|regularizers|constraints|activations"
    rb"|quantizers|dtype_policies|mixed_precision|random|ops|backend|common|core|[a-z0-9_]{1,60}))*"
)
_KERAS_HUB = re2.compile(
    rb"keras_(?:hub|nlp|cv)(?:\.[a-z0-9_]{1,60}){1,8}"
    rb"\.[A-Z][A-Za-z0-9]{0,60}(?:Backbone|Tokenizer|Preprocessor|Encoder|Converter|Classifier|LM)"
)
_KERAS_CALLABLE = re2.compile(rb"(?:tf\.)?(?:math|nn|__operators__|operators|linalg|signal|image)\.[a-z0-9_.]{1,60}")
_TF_SHAPES = frozenset(
    """
    cast reshape concat stack unstack transpose shape squeeze expand_dims slice strided_slice split tile gather
    gather_nd where zeros_like ones_like identity broadcast_to one_hot reduce_sum reduce_mean reduce_max clip_by_value
    convert_to_tensor range fill pad reverse add subtract multiply divide maximum minimum matmul abs exp sqrt square
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_NOT_PLAIN = frozenset({"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer", "TensorFlowOpLayer"})
_CONFIG_CLASSES = re2.compile(
    rb"(?:sentence_transformers\.(?:[A-Za-z_]{1,40}\.){0,4}[A-Z][A-Za-z0-9]{0,60}"
    rb"|(?:transformers|diffusers|timm|peft)(?:\.[a-z0-9_]{1,60}){0,6}\.[A-Z][A-Za-z0-9]{0,80}"
    rb"|(?:torch\.(?:nn|optim)|nemo\.(?:collections|core)|lightning|pytorch_lightning|torchmetrics|torchvision\.models"
    rb"|megatron\.core)(?:\.[a-z0-9_]{1,60}){0,8}\.[A-Z][A-Za-z0-9]{0,80}"
    rb"|langchain(?:_core)?(?:\.[a-z0-9_]{1,60}){0,6}\.[A-Z][A-Za-z0-9]{0,80}"
    rb"|(?:ldm|sgm|taming)(?:\.[a-z0-9_]{1,60}){0,8}\.[A-Z][A-Za-z0-9]{0,80}"
    rb"|(?:haystack|haystack_integrations|autogen_agentchat|autogen_ext\.models)(?:\.[a-z0-9_]{1,60}){0,8}"
    rb"\.[A-Z][A-Za-z0-9]{0,80}"
    rb"|null\.null|mlflow(?:\.[a-z0-9_]{1,40}){0,3})"
)
_CONFIG_REFUSED = frozenset(
    {"sentence_transformers.models.Module", "mlflow.pyfunc.loaders.code_model", "mlflow.pyfunc.model"}
)
_PIPELINE_PARTS = frozenset(
    """
    ace_step.AceStepAudioTokenDetokenizer ace_step.AceStepAudioTokenizer ace_step.AceStepConditionEncoder
    audio_diffusion.Mel audioldm2.AudioLDM2ProjectionModel audioldm2.AudioLDM2UNet2DConditionModel
    blip_diffusion.Blip2QFormerModel blip_diffusion.BlipImageProcessor blip_diffusion.ContextCLIPTextModel
    deepfloyd_if.IFSafetyChecker deepfloyd_if.IFWatermarker flux.ReduxImageEncoder kandinsky.MultilingualCLIP
    kolors.ChatGLMModel kolors.ChatGLMTokenizer latent_diffusion.LDMBertModel ltx.LTXLatentUpsamplerModel
    ltx2.LTX2LatentUpsamplerModel ltx2.LTX2TextConnectors ltx2.LTX2Vocoder ltx2.LTX2VocoderWithBWE
    marigold.MarigoldImageProcessor paint_by_example.PaintByExampleImageEncoder shap_e.ShapEParamsProjModel
    shap_e.ShapERenderer spectrogram_diffusion.SpectrogramContEncoder spectrogram_diffusion.SpectrogramNotesEncoder
    stable_audio.StableAudioProjectionModel stable_diffusion.CLIPImageProjection
    stable_diffusion.FlaxStableDiffusionSafetyChecker stable_diffusion.StableDiffusionSafetyChecker
    stable_diffusion.StableUnCLIPImageNormalizer stable_diffusion_safe.SafeStableDiffusionSafetyChecker
    unclip.UnCLIPTextProjModel unidiffuser.UniDiffuserModel unidiffuser.UniDiffuserTextDecoder
    versatile_diffusion.UNetFlatConditionModel vq_diffusion.LearnedClassifierFreeSamplingEmbeddings
    wuerstchen.PaellaVQModel wuerstchen.WuerstchenDiffNeXt wuerstchen.WuerstchenPrior
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
"""What `model_index.json` names by a folder of diffusers' pipelines (0.42) instead of the library."""
_NUMPY_FILES = frozenset(
    """
    DataSource fromfile fromregex genfromtxt load loadtxt memmap open_memmap save savetxt savez savez_compressed
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_PLAIN_TYPES = frozenset(
    """
    builtins.bool builtins.bytearray builtins.bytes builtins.complex builtins.dict builtins.float builtins.frozenset
    builtins.int builtins.list builtins.NoneType builtins.object builtins.set builtins.slice builtins.str builtins.tuple
    collections.OrderedDict collections.defaultdict functools.partial numpy.random._generator.Generator
    numpy.random.mtrand.RandomState sklearn.compose._column_transformer.make_column_selector
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)
_SPARSE = re2.compile(rb"scipy\.sparse(?:\._?[a-z]{2,8}){0,2}\.[a-z]{3}_(?:matrix|array)")
_PMML = re2.compile(rb"[+\-*/]|(?:local:|x-)?[A-Za-z][A-Za-z0-9_\- ]{0,60}")


class UnlistedClass(Check[ModelFile], frozen=True):
    """Finds a model description that names a class or function which such a model has no use for.

    Why it matters:
        A description in JSON is harmless only as long as the loader looks its names up in a fixed set. Several loaders
        import whatever is named, and the name of any function in any installed library will do.

    Fails on:
        A `.keras` file whose `config.json` names `os` and `system`, a `Lambda` layer, a `modules.json` with the type
        `subprocess.Popen`, a Hydra file with `_target_: builtins.eval`, a skops schema with `operator.methodcaller`.

    Passes on:
        Keras's own layers, optimizers and losses, scikit-learn's estimators in a skops archive, the modules of
        sentence-transformers.

    Limits:
        Knows the frameworks' own names. A layer or estimator of your own is reported too; add it with `allow` once you
        have reviewed it.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-010",
        title="Class or function that a model description may not name",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "ASI05:2026", "AML.T0010.003", "AML.T0018.002"),
    )
    allow: frozenset[str] = frozenset()

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every name that is in no list."""
        uri = subject.ref.uri
        for part in subject.facts.parts:
            for mention in part.mentions:
                if mention.kind not in {"class", "function", "layer"} or self._is_known(part.format, mention):
                    continue
                where = f"{uri}, member {part.member}" if part.member else uri
                name = mention.name[:_MAX_SHOWN]
                yield self.finding(
                    f"{where}: it names the {mention.kind} {name!r}, which such a model does not need.",
                    at=Location(uri, f"{part.member}#{name}"),
                )

    def _is_known(self, kind: str, mention: Mention) -> bool:
        if mention.name in self.allow:
            return True
        if kind in {"keras", "hdf5", "tensorflow"}:
            return _keras(mention)
        if kind == "skops":
            return _skops(mention)
        if kind == "pmml":
            return _PMML.fullmatch(mention.name.encode()) is not None
        if mention.name in _PIPELINE_PARTS:
            return True
        return mention.name not in _CONFIG_REFUSED and _CONFIG_CLASSES.fullmatch(mention.name.encode()) is not None


def _keras(mention: Mention) -> bool:
    module, _, name = mention.name.rpartition(".")
    if mention.kind == "class" and _KERAS_HUB.fullmatch(mention.name.encode()):
        return True
    if mention.kind == "function" and module.startswith("tf"):
        return _KERAS_CALLABLE.fullmatch(mention.name.encode()) is not None or name in _TF_SHAPES
    if name in _NOT_PLAIN or name not in keras_names():
        return False
    return not module or _KERAS_MODULE.fullmatch(module.encode()) is not None


def _skops(mention: Mention) -> bool:
    module, _, name = mention.name.rpartition(".")
    if module.partition(".")[0] == "numpy" and name in _NUMPY_FILES:
        return False
    named = mention.kind == "function" or module.startswith("numpy") or name.lstrip("_")[:1].isupper()
    if _SPARSE.fullmatch(mention.name.encode()):
        return True
    return mention.name in _PLAIN_TYPES or (named and may_reference(mention.name))
