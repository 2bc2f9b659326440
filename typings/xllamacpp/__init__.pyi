class _Model:
    path: str

class _CpuParams:
    n_threads: int

class CommonParams:
    model: _Model
    cpuparams: _CpuParams
    cpuparams_batch: _CpuParams
    n_ctx: int
    n_parallel: int
    hostnames: list[str]
    port: int
    n_threads_http: int
    ui: bool
    verbosity: int
    api_keys: list[str]

class Server:
    def __init__(self, params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...
