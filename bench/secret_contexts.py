# ruff: noqa: E501, RUF001 - one text a row, in the script of its language
"""Texts that hold secrets, in two sets of contexts, and texts that look as if they did.

Patterns are tuned on set A. Set B is written for the report: its errors are counted, never looked at.
"""

import base64
import hashlib
import json
import random
import string
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import quote

Build = Callable[[str], str]

# A key that its format gives away, in a text that says nothing about it.
PLANTED: dict[str, tuple[Build, ...]] = {
    "A": (
        lambda v: f"SERVICE={v}\n",
        lambda v: json.dumps({"service": {"value": v}, "retries": 3}),
        lambda v: f"service:\n  value: {v}\n  retries: 3\n",
        lambda v: f'client = Client("{v}")',
        lambda v: f"2026-03-01T10:11:12Z INFO worker-3 called upstream with {v} in 31 ms",
        lambda v: f"Can you check why {v} does not work any more?",
        lambda v: f"Hi Anna,\n\nhere is what you asked for: {v}\n\nBest,\nTom",
        lambda v: f'resource "x" "y" {{\n  value = "{v}"\n}}',
        lambda v: f"$ export X='{v}' && ./deploy.sh",
        lambda v: f"Use `{v}` in the header.",
        lambda v: f"https://api.internal/v1?x={quote(v, safe='')}&y=1",
        lambda v: json.dumps({"body": json.dumps({"x": v})}),
    ),
    "B": (
        lambda v: f"export UPSTREAM={v}",
        lambda v: json.dumps([{"id": 4, "v": v}], indent=2),
        lambda v: f"- env:\n    - name: UPSTREAM\n      value: '{v}'\n",
        lambda v: f"const upstream = connect({{ using: '{v}', timeout: 5000 }});",
        lambda v: f"[error] 403 from upstream ({v}); giving up after 3 attempts",
        lambda v: f"me: which one do we use in staging?\nyou: {v}\nme: thanks",
        lambda v: f"From: ops@example.org\nSubject: access\n\n> {v}\n\nPlease confirm.",
        lambda v: f'variable "upstream" {{\n  default = "{v}"\n}}\n',
        lambda v: f"  412  curl -s -H 'X-Auth: {v}' https://api.internal/",
        lambda v: f"| where | what |\n|---|---|\n| staging | {v} |\n",
        lambda v: f"redirect=https%3A%2F%2Fa.internal%2F%3Fx%3D{quote(v, safe='')}%26y%3D2",
        lambda v: f'print("using {v}\\n")',
    ),
}
# A value without a format, beside a name.
NAMED: dict[str, tuple[str, ...]] = {
    "A": (
        "DB_PASSWORD={v}", 'password = "{v}"', '"api_key": "{v}",', "api_key: {v}", "  secret: '{v}'", "--password {v} --verbose", "--token={v}",
        "the password is {v}", "My password: {v}", "Server=db;User Id=sa;Password={v};Encrypt=true", "<password>{v}</password>",
        "mein Passwort ist {v}", "mot de passe : {v}", "la contraseña es {v}", "пароль: {v}", "密码是{v}", "const apiKey = '{v}';", 'private_key => "{v}"',
        "keystore.password={v}", "Kennwort lautet {v}", "heslo: {v}", "salasana on {v}", "şifre: {v}", "รหัสผ่าน: {v}", "הסיסמה היא {v}", 'setPassword("{v}");',
        'password: str = "{v}"', "- name: X_TOKEN\n  value: {v}", 'ENV SECRET_KEY="{v}"', "| Password | `{v}` |", "**Token**: `{v}`", "wifi password for guests: {v}",
        "change the root password to {v}", '<property name="password" value="{v}"/>', "user=anna&password={v}&x=1", "PGPASSWORD={v} psql -h db", "密钥：{v}", "비밀번호는 {v} 입니다",
        "パスワード：{v}", "Benutzer anna, Passwort {v}", "--api-key {v}", "token: {v} # staging", 'secretKey: "{v}"', "jelszó: {v}", "lösenord: {v}", "mật khẩu là {v}", "पासवर्ड {v} है",
        'password = os.getenv("PASSWORD", "{v}")', '["password"] = "{v}"', 'Password="{v}";', "kata sandi: {v}", "parola: {v}", "PASSWORD -> {v}", "le mot de passe est {v}",
        "API-Schlüssel: {v}", "clave api: {v}", "pass: {v}", "my new pw is {v}", "password:{v}", "password\n{v}\n", "api key {v}",
        "X-Api-Key: {v}", "auth_token := `{v}`", r'"{{\"client_secret\": \"{v}\"}}"',
    ),
    "B": (
        "MYSQL_ROOT_PASSWORD: {v}", "spring.datasource.password={v}", "access_token='{v}'", '"clientSecret" : "{v}"', "set the admin password to {v}",
        "Login: anna, password: {v}", "passphrase = {v}", "senha: {v}", "il password è {v}", "wachtwoord: {v}", "hasło: {v}", "пароль от базы {v}",
        "パスワードは{v}です", "비밀번호: {v}", "كلمة المرور: {v}", "-e POSTGRES_PASSWORD={v}", 'apiKey: "{v}",', '<add key="Password" value="{v}"/>',
        "password%3D{v}%26user%3Danna", "**Password:** {v}", "| API key | {v} |", 'os.environ["SECRET_KEY"] = "{v}"', 'signing-key: "{v}"',
        "- name: DB_PASSWORD\n  value: {v}",
    ),
}  # fmt: skip
BLOCKS: dict[str, tuple[Build, ...]] = {
    "A": (lambda v: f"Here it is:\n{v}\nBye.", lambda v: json.dumps({"private_key": v, "client_email": "a@b.c"})),
    "B": (
        lambda v: "key: |\n" + "".join(f"  {line}\n" for line in v.splitlines()),
        lambda v: f"cat <<EOF > id\n{v}\nEOF\n",
    ),
}
SPLIT: dict[str, tuple[Build, ...]] = {
    "A": (
        lambda v: f"run --with {v[: len(v) // 2]}\\\n    {v[len(v) // 2 :]} --fast",
        lambda v: f"x = '{v[: len(v) // 2]}' .\n     '{v[len(v) // 2 :]}'",
        lambda v: f"the key {v[: len(v) // 2]}=\n{v[len(v) // 2 :]} was sent by mail",
    ),
    "B": (
        lambda v: f'x = "{v[: len(v) // 3]}" + "{v[len(v) // 3 :]}"',
        lambda v: f'X = ("{v[: len(v) // 2]}"\n     "{v[len(v) // 2 :]}")',
    ),
}


def password(source: random.Random) -> str:
    """What people and password managers make."""
    words = ("Sommer", "river", "Falcon", "blau", "Coffee", "tango", "winter", "Lisboa")
    kind = source.randrange(4)
    if kind == 0:
        return (
            f"{source.choice(words)}{source.choice('!@#$%&*')}{source.randrange(1000, 9999)}{source.choice('abcxyz')}"
        )
    if kind == 1:
        return f"{source.choice(words)}-{source.choice(words)}{source.randrange(10, 99)}"
    alphabet = string.ascii_letters + string.digits + ("!#%*+-_.?" if kind == 2 else "")
    return "".join(
        source.choices(string.ascii_letters, k=2) + source.choices(alphabet, k=12) + [source.choice(string.digits)]
    )


def token(source: random.Random) -> str:
    """What services make: base 62, hexadecimal, base64, a UUID."""
    kind = source.randrange(4)
    if kind == 0:
        return "".join(source.choices(string.ascii_letters + string.digits, k=32))
    if kind == 1:
        return source.randbytes(20).hex()
    return base64.b64encode(source.randbytes(33)).decode() if kind == 2 else source.randbytes(16).hex()


def clean(name: str, source: random.Random) -> Iterator[str]:
    """Texts without a secret: the kinds of set `name`."""
    yield from _clean_shared(source)
    yield from (_CLEAN_A if name == "A" else _CLEAN_B)


def _clean_shared(source: random.Random) -> Iterator[str]:
    digest = hashlib.sha256(source.randbytes(8))
    yield f"commit {hashlib.sha1(source.randbytes(8)).hexdigest()}\nAuthor: Anna <anna@example.org>\n\n    Rotate the token cache key\n"
    yield f'"integrity": "sha512-{base64.b64encode(source.randbytes(64)).decode()}",\n"resolved": "https://registry.npmjs.org/js-tokens/-/js-tokens-4.0.0.tgz"'
    yield f"    --hash=sha256:{digest.hexdigest()} \\\n    --hash=sha256:{digest.hexdigest()[::-1]}"
    yield f"golang.org/x/oauth2 v0.21.0 h1:{base64.b64encode(digest.digest()).decode()}"
    yield f"request {uuid.UUID(bytes=source.randbytes(16), version=4)} took 12 ms; key count 14, token count 512"
    yield f"<img src='data:image/png;base64,{base64.b64encode(source.randbytes(900)).decode()}'>"
    yield f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{base64.b64encode(source.randbytes(38)).decode()} anna@laptop"
    body = base64.encodebytes(source.randbytes(700)).decode()
    yield f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----"
    yield f"-----BEGIN PUBLIC KEY-----\n{body}-----END PUBLIC KEY-----"
    yield f"image: registry.example.org/app@sha256:{digest.hexdigest()}\nimagePullPolicy: Always"
    yield f".a{{color:#{source.randbytes(3).hex()};background:url(data:font/woff2;base64,{base64.b64encode(source.randbytes(300)).decode()})}}"
    yield f'etag: W/"{source.randbytes(16).hex()}"\nx-request-id: {source.randbytes(12).hex()}\ncontent-length: 5120'
    yield f"!function(e,t){{var n=t.key,r=e.token;return n?r[n]:s.{'abcdefghij'}{source.randrange(99)}(e,{source.randrange(10**9)})}}(window,{{}});"
    yield f"uses: actions/checkout@{source.randbytes(20).hex()} # v4"
    yield f'"public_key": "{base64.b64encode(source.randbytes(32)).decode()}", "key_id": "{source.randbytes(8).hex()}"'


_CLEAN_A = (
    "api_key = <your-key>",
    "password: ${DB_PASSWORD}",
    "password: changeme",
    "token: xxxxxxxxxxxxxxxx",
    "secret = os.environ['APP_SECRET1']",
    "The password must have at least 12 characters and one digit.",
    "The token is base64-encoded.",
    "max_tokens=4096, eos_token='</s>', pad_token_id=50256",
    "secretName: app-tls-2",
    "postgres://user:password@localhost:5432/db",
    "Authorization: Bearer <token>",
    "AKIAIOSFODNN7EXAMPLE is in every tutorial.",
    "key = sorted(items, key=lambda item: item.size2)",
    "password_hash = hash_password(password1)",
    "Reset your password at https://example.org/reset?step=2",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "token = tokenizer.next_token()",
    "the key is 256 bits long",
    "SECRET_KEY=replace-with-a-random-value-32",
    "sk-your-api-key-here-0123456789",
    "passwordField.getText1()",
    'api_key: str = Field(alias="x-api-key1")',
    "aws_secret_access_key = YOUR_SECRET_ACCESS_KEY_2",
    "Press the key F12 and enter the access token of step 3.",
    "password: string; // 8-64 characters",
    "curl -u username:password https://api.example.org/",
)
_CLEAN_B = (
    "OPENAI_API_KEY=sk-...", 'api_key="YOUR_API_KEY"', "secret: !Ref DatabaseSecret2", "password: {{ vault_db_password }}", "token: ${{ secrets.GITHUB_TOKEN }}",
    "Tokens expire after 3600s; the refresh token lasts 30d.", "primary key (tenant_id2, order_id)", "access_key = config.get('s3', 'access_key2')",
    "Passwords are hashed with argon2id and a 16-byte salt.", "const token = await getToken(user1);", "private_key_path: /etc/ssl/private/key2.pem",
    "mongodb://<username>:<password>@cluster0.mongodb.net/test", "The passphrase is asked for on first start.", "credentials: same-origin", "key: value1, other: value2",
    "Passwort vergessen? Bitte wählen Sie ein neues mit 10 Zeichen.", "Le mot de passe est obligatoire (8 caractères).", "La contraseña es obligatoria.",
    "PasswordAuthentication no\nPubkeyAuthentication yes", "token_type=bearer&expires_in=3599", "export TOKEN=$(gcloud auth print-access-token)",
    "hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "xoxb-your-bot-token", 'password = getpass.getpass("Password 2: ")', "secret_arn = arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-1",
    "The session token was rejected with HTTP 401 at 12:30:11.", "sha256(password + salt1) == stored", "Use Ctrl+Shift+P, then type key2.",
)  # fmt: skip
