"""Where the templates of pages come from."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


@cache
def template(package: str, name: str) -> Template:
    """The template of a page: every value is escaped, and a name that nobody gave is an error.

    Args:
        package: The package whose folder `templates` holds it.
        name: Its file's name.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
