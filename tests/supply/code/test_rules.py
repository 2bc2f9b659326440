# ruff: noqa: E501, ISC004 - one program a line
"""What each check sees beyond its manual's example, and what it must leave alone."""

import msgspec
import pytest

from lockgate.core import Status, SubjectRef, run
from lockgate.supply.code import CHECKS, read_facts
from lockgate.supply.code.unpinned_server import unpinned

ASK = """
import openai, anthropic, litellm, ollama, subprocess, os, sqlite3, requests
from flask import request
client = openai.OpenAI()
def ask(question):
    reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": question}])
    return reply.choices[0].message.content
"""


def found(text: str, name: str = "a.py") -> set[str]:
    facts = msgspec.structs.replace(read_facts(SubjectRef(name), text.encode()), classic=())
    outcomes = [run(check(), facts) for check in CHECKS]
    assert all(outcome.status in {Status.PASSED, Status.FAILED} for outcome in outcomes)
    return {outcome.check.removeprefix("LG-SUPPLY-") for outcome in outcomes if outcome.findings}


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("101", "from torch import load as get\nget('m.pt')"),
        ("101", "import pickle as p\nwith open('x', 'rb') as f:\n    p.load(f)"),
        ("101", "import yaml\nyaml.load(open('x'), Loader=yaml.Loader)"),
        ("101", "import numpy as np\nnp.load('x.npy', allow_pickle=True)"),
        ("101", "from tensorflow import keras\nkeras.models.load_model('m', safe_mode=False)"),
        ("101", "FAISS.load_local('x', e, allow_dangerous_deserialization=True)"),
        ("103", "from huggingface_hub import snapshot_download\nsnapshot_download('org/model', revision='main')"),
        ("103", "import torch\ntorch.hub.load('org/repo', 'resnet')"),
        ("104", ASK + "def go():\n    exec(ask('x'))"),
        ("104", ASK + "subprocess.run(ask('x').strip().split())"),
        ("104", ASK + "os.system(f'echo {ask(1)}')"),
        ("104", "import anthropic\nm = anthropic.Anthropic().messages.create(model='m', max_tokens=9)\neval(m.content[0].text)"),
        ("104", "import litellm\nfor c in litellm.completion(model='m', stream=True):\n    code = c.text\nexec(code)"),
        ("104", "import ollama\nparts = []\nparts.append(ollama.chat(model='m')['message'])\nexec(''.join(parts))"),
        ("104", "from transformers import pipeline\npipe = pipeline('text-generation', model='./m')\nexec(pipe('x')[0]['t'])"),
        ("104", "from langchain_openai import ChatOpenAI\nchain = PROMPT | ChatOpenAI()\nexec(chain.invoke({}).content)"),
        ("104", "class A:\n  def __init__(self):\n    from langchain_openai import ChatOpenAI\n    self.llm = ChatOpenAI()\n"
                "  def go(self):\n    exec(self.llm.invoke('x').content)"),
        ("104", "from agents import function_tool\nimport os\n@function_tool\ndef sh(cmd: str):\n    os.system(cmd)"),
        ("104", "import openai\nasync def f():\n    r = await openai.AsyncOpenAI().responses.create(model='m')\n    exec(r.text)"),
        ("104", "def later():\n    exec(ask('x'))\n" + ASK),
        ("105", ASK + "sqlite3.connect('x').cursor().execute('SELECT ' + ask('x'))"),
        ("106", ASK + "import streamlit as st\nst.markdown(ask('x'), unsafe_allow_html=True)"),
        ("107", ASK + "p = 'Summarise this text in one line: %s' % request.form['t']\nclient.responses.create(input=p)"),
        ("107", ASK + "page = requests.get('https://x').text\nask2 = client.chat.completions.create(model='m', messages=["
                "{'role': 'system', 'content': f'You know this page: {page}'}])"),
        ("107", ASK + "client.responses.create(model='m', instructions=request.args['i'], input='x')"),
        ("109", "import requests\ns = requests.Session()\ns.get('https://x', verify=False)"),
        ("109", "import ssl\nc = ssl.create_default_context()\nc.check_hostname = False"),
        ("110", "from smolagents import CodeAgent\nCodeAgent(tools=[], additional_authorized_imports=['*'])"),
        ("110", "from langchain.agents import load_tools\nload_tools(['terminal'])"),
        ("111", "StdioServerParameters(command='uvx', args=['mcp-server-git'])"),
        ("112", ASK + "import logging\nlogger = logging.getLogger()\nlogger.info(f'{ask(1)}')"),
        ("113", ASK + "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/a')\ndef a(q: str):\n"
                "    return client.responses.create(model='m', input=q)"),
        ("114", ASK + "while True:\n    client.responses.create(model='m', input='x')"),
    ],
)  # fmt: skip
def test_it_is_found(check: str, text: str):
    assert check in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "import pickle\npickle.loads(pickle.dumps(VALUE))",
        "import yaml\nyaml.load(TEXT, Loader=yaml.CSafeLoader)\nyaml.safe_load(TEXT)",
        "import torch\nsettings = {}\ntorch.load('m', **settings)",
        "import json\njson.load(open('x'))\nnp.load('x.npy')",
        "from transformers import AutoModel\nAutoModel.from_pretrained('./local')\nAutoModel.from_pretrained(NAME)",
        ASK + "print(ask('x'))\nint(ask('x'))\neval('1 + 1')\nsubprocess.run(['ls'], check=True)",
        ASK + "import shlex\nos.system('echo ' + shlex.quote(ask('x')))",
        ASK + "answer = ask('x')\nanswer = 'fixed'\nexec(answer)",
        ASK + "ask(request.args['q'])",
        ASK
        + "q = request.args['q']\nclient.responses.create(model='m', input=f'Summarise the page: <page>{q}</page>')",
        ASK + "n = int(request.args['n'])\nclient.responses.create(model='m', input=f'Write a poem of {n} lines')",
        "import twilio.rest\nsms = twilio.rest.Client().messages.create(body='x', to='y')\nexec(sms.body)",
        "import re\nre.compile(PATTERN)\ncursor.execute(SQL)\nclient.messages.create(to='x')",
        "cache.get('x', verify=True)\nverify = False",
        "from fastapi.middleware.cors import CORSMiddleware\napp.add_middleware(CORSMiddleware, allow_origins=['*'])",
        ASK
        + "from fastapi import Depends\n@app.post('/a')\ndef a(q: str, user=Depends(current_user)):\n    return ask(q)",
        ASK + "for x in XS:\n    client.responses.create(model='m', input=x, max_output_tokens=9)",
        ASK + "import logging\nlogging.getLogger().info('took %d ms', 12)",
    ],
)
def test_it_is_left_alone(text: str):
    assert found(text) == set()


@pytest.mark.parametrize(
    ("command", "arguments", "package"),
    [
        ("npx", ("-y", "pkg"), "pkg"),
        ("npx", ("-y", "@o/pkg@latest"), "@o/pkg@latest"),
        ("npx", ("-y", "@o/pkg@1.2.3"), ""),
        ("npx.cmd", ("--package", "pkg", "run"), "pkg"),
        ("uvx", ("--python", "3.12", "pkg"), "pkg"),
        ("uvx", ("--from", "pkg==1.0", "run"), ""),
        ("uvx", ("pkg@1.0",), ""),
        ("uv", ("tool", "run", "pkg"), "pkg"),
        ("uv", ("run", "server.py"), ""),
        ("pipx", ("run", "--spec", "pkg==2", "x"), ""),
        ("docker", ("run", "-i", "-e", "KEY", "org/image"), "org/image"),
        ("docker", ("run", "org/image:1.2"), ""),
        ("docker", ("run", "org/image:latest"), "org/image:latest"),
        ("docker", ("run", "localhost:5000/image@sha256:" + "0" * 64), ""),
        ("python", ("-m", "server"), ""),
        ("npx", ("./local",), ""),
        ("npx", (), ""),
    ],
)
def test_packages_without_a_version(command: str, arguments: tuple[str, ...], package: str):
    assert unpinned(command, arguments) == package


def test_settings_of_a_client_are_examined():
    text = '{"mcpServers": {"a": {"command": "npx", "args": ["-y", "pkg"]}, "b": {"url": "https://x"}, "c": 3}}'
    assert found(text, "mcp.json") == {"111"}


def test_a_secret_in_a_prompt_is_called_one():
    text = 'PROMPT = """You are a bot.\npassword = "kT9#vQ2m!zLx7Rw4pE"\n"""\n'
    (mark,) = read_facts(SubjectRef("a.py"), text.encode()).secrets
    assert (mark.prompt, mark.line) == (True, 2)


def test_places_survive_edits_above():
    def places(text: str) -> list[str]:
        return [call.place for call in read_facts(SubjectRef("a.py"), text.encode()).calls]

    code = "class A:\n    def f(self):\n        g()\n        g()\nasync def h():\n    k()\n"
    assert places(code) == ["A.f/g", "A.f/g#2", "h/k"]
    assert places(f"# a\nimport os\n\n{code}") == places(code)
