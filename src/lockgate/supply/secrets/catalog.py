"""Every check of texts for secrets."""

from lockgate.core import Check
from lockgate.supply.secrets.leaked_secret import LeakedSecret
from lockgate.supply.secrets.subject import SecretText

CHECKS: tuple[type[Check[SecretText]], ...] = (LeakedSecret,)
