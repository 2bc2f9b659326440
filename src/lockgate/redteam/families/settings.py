"""Lines of `lockgate.yaml` that stand against more than one family."""

STRICT = "guard:\n  sensitivity: strict"

PROTECTED = "application:\n  protected: prompts/protected.txt"

ISOLATION = "serve:\n  isolation: datamark"

OWN_TOOLS = """serve:
  rules:
    - {id: own-tools, effect: allow, when: 'tools.all(t, t in ["find_booking", "open_ticket"])'}"""

LENGTHS = """serve:
  max_tokens: 256
  limits:
    max_input_tokens: 2000
    rates:
      - {per: key, limit: 60, every_s: 60}
      - {per: key, what: tokens, limit: 200000, every_s: 86400}"""

SHORT = """serve:
  max_tokens: 128
application:
  protected: training/canaries.txt"""
