import asyncio
import os
import shutil
import sys
from pathlib import Path

import aiohttp
import openai
import pytest

from lockgate.core.project import Project, open_project
from lockgate.gateway import EmbeddedModel, EphemeralKey, GatewayError, open_endpoint, serve_app
from lockgate.monitor import EventStore

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "examples/assistant/models/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

needs_model = pytest.mark.skipif(
    not MODEL.is_file() and not os.environ.get("CI"), reason="'make install' fetches the example's model"
)


def _project(folder: Path) -> Project:
    shutil.copyfile(MODEL, folder / "m.gguf")
    (folder / "lockgate.yaml").write_text(
        f"version: 1\nproject: p\nmodels: [{{path: m.gguf, sha256: {SHA}}}]\n"
        "serve: {upstream: {kind: embedded, model: m.gguf, context: 512}}\n"
    )
    return open_project(folder)


@needs_model
async def test_the_guarded_endpoint_answers_with_the_real_model(tmp_path: Path) -> None:
    project = _project(tmp_path)
    key = EphemeralKey("test")
    async with open_endpoint(project) as endpoint, aiohttp.ClientSession() as session:
        for path in ("/chat/completions", "/completions"):
            async with session.post(endpoint.base_url + path, json={"prompt": "x", "messages": []}) as response:
                assert response.status == 401
        with EventStore.open(project.state) as store:
            async with (
                serve_app(project, endpoint=endpoint, verifier=key, store=store) as running,
                openai.AsyncOpenAI(base_url=running.base_url, api_key=key.secret, max_retries=0) as client,
            ):
                question = [{"role": "user", "content": "Say hello."}]
                answer = await client.chat.completions.create(
                    model="assistant", messages=question, max_tokens=8, temperature=0
                )
                stream = await client.chat.completions.create(
                    model="assistant", messages=question, max_tokens=8, temperature=0, stream=True
                )
                text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
                with pytest.raises(openai.BadRequestError) as caught:
                    await client.chat.completions.create(
                        model="assistant",
                        messages=[{"role": "user", "content": "We rent boats and sell ice cream by the lake. " * 120}],
                    )
        with EventStore.open(project.state) as store:
            assert [event.action for event in store.events()] == ["allow", "allow", "error"]
    assert answer.choices[0].message.content
    assert text
    assert caught.value.code == "upstream_rejected"


@needs_model
async def test_what_the_red_team_is_told_depends_on_nothing_that_was_asked_before(tmp_path: Path) -> None:
    asked = {"messages": [{"role": "user", "content": "Where can I rent a boat, and until when?"}], "max_tokens": 2}
    async with open_endpoint(_project(tmp_path)) as endpoint, aiohttp.ClientSession() as session:
        for _ in range(2):
            async with session.post(
                f"{endpoint.base_url}/chat/completions",
                json=asked,
                headers={"Authorization": f"Bearer {endpoint.api_key}"},
            ) as response:
                answer = await response.json()
            assert answer["timings"]["cache_n"] == 0
            assert answer["timings"]["prompt_n"] == answer["usage"]["prompt_tokens"]


@needs_model
async def test_the_model_ends_with_the_program_that_started_it() -> None:
    script = (
        "import asyncio, sys, os\nfrom pathlib import Path\nfrom lockgate.gateway import EmbeddedModel\n"
        "async def main():\n"
        "    async with EmbeddedModel.start(Path(sys.argv[1]), 256) as model:\n"
        "        print(model.base_url, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(MODEL), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await parent.communicate()
    port = int(output.decode().split(":")[2].split("/")[0])
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            # Taken by a listener that was just ending.
            continue
        writer.close()
        await asyncio.sleep(0.05)
    pytest.fail("The model outlived its parent.")


async def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(GatewayError, match="cannot be loaded") as caught:
        async with EmbeddedModel.start(tmp_path / "bad.gguf", 256):
            pass
    assert caught.value.remedy


async def test_without_the_runtime_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(GatewayError, match="not installed") as caught:
        async with EmbeddedModel.start(tmp_path / "m.gguf", 256):
            pass
    assert "lockgate[embedded]" in caught.value.remedy


async def test_a_runtime_that_dies_or_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "xllamacpp.py").write_text("import os\nos.abort()\n")
    with pytest.raises(GatewayError, match="ended before it was ready"):
        async with EmbeddedModel.start(tmp_path / "m.gguf", 256):
            pass
    (tmp_path / "xllamacpp.py").write_text("import sys\nsys.stdin.read()\n")
    with pytest.raises(GatewayError, match="not ready after"):
        async with EmbeddedModel.start(tmp_path / "m.gguf", 256, timeout_s=0.2):
            pass


async def test_no_secret_of_this_environment_reaches_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    (tmp_path / "xllamacpp.py").write_text(
        f"import os, sys\nopen({str(seen)!r}, 'w').write(repr((dict(os.environ), sys.argv)))\nraise ImportError\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    with pytest.raises(GatewayError):
        async with EmbeddedModel.start(tmp_path / "m.gguf", 256):
            pass
    assert "canary" not in seen.read_text()
    assert "PATH" in seen.read_text()
