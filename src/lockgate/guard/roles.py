"""Finds where a text could pretend to be another turn of the conversation.

Servers that render a chat template themselves read its control tokens wherever they stand, and models read a line such
as "System:" as a new speaker. The tokens are those of the chat templates of GPT (ChatML, Harmony), Llama 2 to 4,
Mistral, Gemma, Qwen, DeepSeek, Phi, Command R, Granite, GLM, InternLM, Baichuan, Yi, Zephyr, Vicuna, Alpaca and Claude.
"""

from lockgate.detect.linear import pattern, project

_SPEAKERS = r"(?:system|assistant|user|human|developer|ipython|ai|bot|observation|gpt4 correct (?:user|assistant))"
_TOKENS = pattern(
    r"(?i)"
    # Every token in bars, also DeepSeek's, whose bars are full-width and read 0x1A here.
    r"<[|\x1a]"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|CALL_ID|ARGS|THINK|PREFIX|SUFFIX"
    r"|MIDDLE|gMASK|sMASK|MASK|CLS|SEP|PAD|UNK|BOS|EOS|control_[0-9]{1,4})\]"
    r"|</?<?SYS>>?|</?(?:s|bos|eos|pad|unk|sop|eop)>|<(?:start|end)_of_(?:turn|image|audio)>"
    r"|</?(?:tool_call|tool_response|tool_result|tool_results|tools|function_calls?|function_results?|invoke|think"
    r"|thinking|reasoning|antml:[a-z_]{1,40})>|<(?:reserved|extra_id|unused|special)_?[0-9]{1,5}>"
    r"|</?(?:system|assistant|user|human|developer)(?:[_ -](?:prompt|message|instructions?|turn))?>"
)
_LINES = (
    pattern(
        rf"(?im)^[ \t>*_#\[(<{{-]{{0,12}}({_SPEAKERS}(?:[ _-]?(?:prompt|message|instructions?|note|override))?)"
        r"[ \t*_#\])>}-]{0,12}[:=]"
    ),
    pattern(r"(?im)^[ \t>]{0,4}#{1,6}[ \t]{0,4}(instructions?|response|input|system|user|assistant)[ \t*]{0,4}:"),
)
_ROLE_KEY = pattern(
    r"(?i)[\"']role[\"']\s{0,4}:\s{0,4}[\"'](system|assistant|user|developer|tool|function|model|ipython)[\"']"
)
_COLON = str.maketrans("\uff1a", ":")  # the full-width colon of Chinese and Japanese


def impersonations(text: str) -> tuple[int, ...]:
    """Offsets in `text` at which one inserted character breaks a control token or a fake speaker, sorted.

    All are broken behind the first character of the token, of the speaker's name ("System:") or of the role
    (`"role": "system"`).
    """
    data = project(text.translate(_COLON))
    places = {match.start() + 1 for match in _TOKENS.finditer(data)}
    places.update(match.start(1) + 1 for shape in (*_LINES, _ROLE_KEY) for match in shape.finditer(data))
    return tuple(sorted(places))
