# ruff: noqa: E501 - tables of names
"""Which calls ask a model, which objects can be asked, and which values strangers write."""

from itertools import pairwise

from lockgate.detect.linear import pattern, project

_ROOTS = frozenset(
    {
        "openai", "anthropic", "langchain", "langchain_core", "langchain_community", "langchain_openai",
        "langchain_anthropic", "langchain_ollama", "langchain_google_genai", "langchain_google_vertexai", "langchain_aws",
        "langchain_mistralai", "langchain_groq", "langchain_huggingface", "langchain_experimental", "langgraph",
        "llama_index", "transformers", "ollama", "litellm", "mistralai", "groq", "cohere", "google", "vertexai",
        "huggingface_hub", "vllm", "crewai", "autogen", "autogen_agentchat", "smolagents", "dspy", "together",
        "replicate", "agents", "pydantic_ai", "guidance", "haystack", "llama_cpp", "ctransformers",
    }
)  # fmt: skip
"""Top-level packages of clients and frameworks for language models."""

_CLIENT = pattern(
    r"^(?:Async|Azure|AsyncAzure)?(?:Chat(?:OpenAI|Anthropic|Ollama|Bedrock\w*|Google\w*|Mistral\w*|Groq|Vertex\w*|Cohere|"
    r"LiteLLM|HuggingFace|Deepseek|Fireworks|NVIDIA|XAI)|OpenAI|AzureOpenAI|Anthropic\w*|Ollama|Groq|Mistral|Llama|LLM|"
    r"AzureChatOpenAI|Together|Cohere|GenerativeModel|InferenceClient|Agent|Runner|Crew|\w+LLM|\w+Chain|\w+Agent|\w+Executor|"
    r"\w+Pipeline|\w+For(?:CausalLM|Seq2SeqLM|ConditionalGeneration)|Client|AsyncClient|ClientV2|Engine|LiteLLMModel)$"
)
_FACTORIES = frozenset(
    {
        "pipeline", "init_chat_model", "create_react_agent", "create_agent", "initialize_agent", "create_sql_agent",
        "create_openai_tools_agent", "create_tool_calling_agent", "create_stuff_documents_chain",
        "create_retrieval_chain", "load_qa_chain", "as_query_engine", "as_chat_engine",
    }
)  # fmt: skip
_ASKING_METHODS = frozenset(
    {
        "invoke", "ainvoke", "stream", "astream", "predict", "apredict", "run", "arun", "run_sync", "batch", "abatch",
        "generate", "agenerate", "complete", "acomplete", "chat", "achat", "query", "aquery", "generate_content",
        "generate_content_async", "generate_content_stream", "kickoff", "chat_completion", "text_generation", "call",
        "create_chat_completion", "create_completion", "send_message", "initiate_chat",
    }
)  # fmt: skip
_ASKING_ENDS = (
    "chat.completions.create", "chat.completions.parse", "chat.completions.stream", "chat.completions.with_raw_response.create",
    "responses.create", "responses.parse", "responses.stream", "completions.create", "messages.create", "messages.stream",
    "chat.complete", "chat.complete_async", "models.generate_content", "models.generate_content_stream",
    "converse", "converse_stream", "invoke_model", "invoke_model_with_response_stream",
)  # fmt: skip
_ASKING_FUNCTIONS = frozenset(
    {
        "litellm.completion", "litellm.acompletion", "litellm.text_completion", "litellm.responses",
        "litellm.aresponses", "ollama.chat", "ollama.generate", "openai.ChatCompletion.create",
        "openai.ChatCompletion.acreate", "openai.Completion.create", "replicate.run",
    }
)  # fmt: skip
_ASKING_KEYWORDS = frozenset({"model", "modelId", "messages", "input", "prompt", "contents", "**"})
_FETCHED = frozenset(
    {
        "requests.get", "requests.post", "requests.request", "httpx.get", "httpx.post", "httpx.request",
        "urllib.request.urlopen", "feedparser.parse", "trafilatura.fetch_url", "pypdf.PdfReader", "PyPDF2.PdfReader",
        "docx.Document", "pytesseract.image_to_string", "pdfplumber.open", "pdfminer.high_level.extract_text",
        "wikipedia.page", "wikipedia.summary",
    }
)  # fmt: skip
_RETRIEVING = frozenset(
    {"similarity_search", "similarity_search_with_score", "get_relevant_documents", "max_marginal_relevance_search",
     "call_tool"}
)  # fmt: skip
_REQUEST = frozenset(
    {"args", "form", "json", "data", "values", "headers", "cookies", "files", "GET", "POST", "body", "query_params",
     "get_json", "path_params", "stream"}
)  # fmt: skip
_CLEANERS = frozenset(
    {
        "int", "float", "bool", "len", "isinstance", "issubclass", "hasattr", "hash", "id", "type", "sum", "round", "any",
        "all", "ord", "callable", "range", "Decimal", "UUID", "count", "index", "find", "startswith", "endswith",
        "isdigit", "isidentifier", "hexdigest", "time", "quote", "quote_plus", "literal",
    }
)  # fmt: skip
_CLEANING = pattern(
    r"(?i)(?:escape|sanit|clean_html|isolat|spotlight|delimit|datamark|wrap_untrusted|quarantine|redact|allow_?list|"
    r"moderat|count_tokens|num_tokens|html2text|shlex\.quote|shlex\.join|nh3\.|bleach\.)"
)
_TOOL_DECORATORS = frozenset(
    {"tool", "function_tool", "kernel_function", "ai_function", "tool_plain", "beta_tool", "register_for_execution",
     "register_for_llm"}
)  # fmt: skip
_ROUTE_DECORATORS = frozenset({"route", "get", "post", "put", "patch", "delete", "api_route", "websocket"})


def root(name: str) -> str:
    """The first part of a dotted name, without a call."""
    return name.partition(".")[0].removesuffix("()")


def is_model_library(name: str) -> bool:
    """Whether a dotted name comes from a client or framework for language models."""
    return root(name) in _ROOTS


def makes_client(name: str) -> bool:
    """Whether a call gives an object that can ask a model."""
    parts = name.split(".")
    if parts[0] not in _ROOTS:
        return False
    if parts[0] == "google" and "genai" not in parts and "generativeai" not in parts:
        return False
    own = parts[-2] if parts[-1] == "from_pretrained" and len(parts) > 1 else parts[-1]
    return own in _FACTORIES or bool(_CLIENT.match(project(own)))


def is_answering(name: str, arguments: frozenset[str], *, on_client: bool) -> bool:
    """Whether a call asks a model.

    Args:
        name: Its dotted name.
        arguments: The names of its arguments.
        on_client: Whether it is a method of an object that can be asked.
    """
    if name in _ASKING_FUNCTIONS:
        return True
    owner, _, last = name.rpartition(".")
    if last in _ASKING_METHODS and (on_client or makes_client(owner)):
        return True
    return f".{name}".endswith(tuple(f".{end}" for end in _ASKING_ENDS)) and bool(arguments & _ASKING_KEYWORDS)


def is_fetched(name: str) -> bool:
    """Whether a call gives what strangers wrote: a web page, a document, search results, the result of a tool."""
    return name in _FETCHED or name.rpartition(".")[2] in _RETRIEVING


def is_request(name: str) -> bool:
    """Whether a dotted name is a part of a web request."""
    parts = name.replace("()", "").split(".")
    return any(part == "request" and after in _REQUEST for part, after in pairwise(parts))


def cleans(name: str) -> bool:
    """Whether a call's result no longer carries what its arguments carried: a number, a quoted or isolated text."""
    return name.rpartition(".")[2] in _CLEANERS or bool(_CLEANING.search(project(name)))


def is_tool_decorator(name: str) -> bool:
    """Whether a decorator makes a function a tool, whose arguments a model chooses."""
    return name.removesuffix("()").rpartition(".")[2] in _TOOL_DECORATORS


def is_route_decorator(name: str) -> bool:
    """Whether a decorator makes a function answer web requests."""
    owner, _, last = name.removesuffix("()").rpartition(".")
    return bool(owner) and last in _ROUTE_DECORATORS and not owner.startswith(("requests", "httpx", "mock", "respx"))
