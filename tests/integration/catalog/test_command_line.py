"""`manage.py catalog`: what it says and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from catalog.models import Draft, EventType, SearchEntry, Token
from tests.integration.catalog.shop import SCHEMA
from tests.integration.catalog.test_api_event_types import BROKEN, gift, without
from tests.vectors import REPOSITORY


@pytest.fixture
def run(capsys):
    """Calls the command; gives the number it ends with, and what it wrote."""

    def called(*words):
        ends = 0
        try:
            call_command("catalog", *map(str, words), stdout=sys.stdout, stderr=sys.stderr)
        except SystemExit as error:
            ends = error.code
        except CommandError as error:
            return error.returncode, str(error)
        return ends, capsys.readouterr().out

    return called


@pytest.fixture
def files(tmp_path):
    """Files by name: old, new (one more field), worse (one less), broken."""
    texts = {
        "old": SCHEMA,
        "new": json.dumps(gift(), indent=1),
        "worse": json.dumps(without("order_id"), indent=1),
        "broken": BROKEN,
    }
    found = {}
    for name, text in texts.items():
        found[name] = tmp_path / f"{name}.json"
        found[name].write_text(text)
    return found


# ── without a database: no test here asks for one, so Django would refuse it ──


def test_a_good_schema_ends_with_0(run, files):
    ends, said = run("check", files["old"])
    assert (ends, "good, JSON Schema" in said) == (0, True)


def test_a_broken_schema_ends_with_1_and_names_the_line(run, files):
    ends, said = run("check", files["broken"])
    assert ends == 1
    assert f"{files['broken']}:4: /properties/a/type: " in said


def test_a_compatible_schema_ends_with_0(run, files):
    ends, said = run("check", files["new"], "--against", files["old"])
    assert (ends, "compatible (forward, evolution)" in said) == (0, True)


def test_an_incompatible_schema_ends_with_1_and_shows_the_event(run, files):
    ends, said = run("check", files["worse"], "--against", files["old"])
    assert ends == 1
    assert "This event of the new version shows it" in said
    assert "not compatible" in said
    assert run("check", files["worse"], "--against", files["old"], "--mode", "backward")[0] == 0


def test_annotations_name_the_file_and_the_line(run, files):
    ends, said = run("check", files["broken"], "--github")
    assert ends == 1
    assert said.startswith(f"::error file={files['broken']},line=4::/properties/a/type: ")
    ends, said = run("check", files["worse"], "--against", files["old"], "--github")
    first = said.splitlines()[0]
    assert first.startswith(f"::error file={files['worse']},line=")
    assert "%0A" in first


def test_json_is_what_the_api_answers_with_the_file_and_the_ending(run, files):
    ends, said = run("check", files["worse"], "--against", files["old"], "--json")
    found = json.loads(said)
    assert (ends, found["ends_with"], found["outcome"], found["file"]) == (
        1,
        1,
        "incompatible",
        str(files["worse"]),
    )
    assert json.loads(run("check", files["broken"], "--json")[1])["mistakes"][0]["line"] == 4


def test_cautions_are_accepted_when_asked(run, tmp_path):
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text('{"type": "object", "properties": {"a": {"enum": ["x"]}}}')
    new.write_text('{"type": "object", "properties": {"a": {"enum": ["x", "y"]}}}')
    ends, said = run("check", new, "--against", old)
    assert ends == 1
    assert ": caution: data.a may be" in said
    assert "data.a: data.a" not in said
    assert "With --accept-cautions" in said
    assert "not compatible, by cautions alone" in said
    ends, said = run("check", new, "--against", old, "--accept-cautions")
    assert (ends, "which are accepted" in said, "warning: " in said) == (0, True, True)


def test_what_cannot_be_decided_ends_with_2(run, tmp_path, monkeypatch):
    from catalog import comparing

    monkeypatch.setattr(comparing, "SECONDS", 0.0)
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text('{"type": "object", "properties": {"a": {"type": "string", "pattern": "^[a-f]+$"}}}')
    new.write_text('{"type": "object", "properties": {"a": {"type": "string", "pattern": "^[a-f0]*$"}}}')
    ends, said = run("check", new, "--against", old, "--mode", "full")
    assert (ends, "not decided" in said) == (2, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "/nowhere/at/all.json"], "No such file"),
        (["check", "{old}", "--mode", "full"], "--mode needs --against"),
        (["check", "{old}", "--mode", "sideways"], "invalid choice"),
        (["check", "{old}", "--json", "--github"], "not allowed with"),
        (["check"], "required"),
        (["check", "{old}", "--url", "ftp://x"], "http://"),
        (["check", "{old}", "--url", "http://127.0.0.1:9"], "token is missing"),
        (["check", "{old}", "--url", "http://127.0.0.1:9", "--token", "sbx_1_2"], "cannot be reached"),
        (["nothing"], "invalid choice"),
    ],
)
def test_what_cannot_be_asked_ends_with_3(run, files, monkeypatch, words, says):
    monkeypatch.delenv("SIGNALBOX_TOKEN", raising=False)
    ends, said = run(*[word.format(old=files["old"]) for word in words])
    assert ends == 3
    assert says in said


def test_a_file_that_is_no_text_or_far_too_large_ends_with_3(run, tmp_path):
    name = tmp_path / "x.json"
    name.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in run("check", name)[1]
    name.write_bytes(b" " * (2 * 1024 * 1024 + 1))
    assert run("check", name)[0] == 3


def test_a_shell_gets_the_number_and_no_database_is_opened(files, tmp_path):
    """As a build server calls it; the database is an address at which nothing listens."""
    settings = {
        "SIGNALBOX_VAR": str(tmp_path / "var"),
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    }

    words = ["check", files["worse"], "--against", files["old"], "--github"]
    command = [sys.executable, "manage.py", "catalog", *map(str, words)]
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | settings, capture_output=True, text=True)
    assert (done.returncode, done.stdout.startswith("::error file="), done.stderr) == (1, True, "")


def test_a_command_line_that_is_not_understood_ends_with_3_in_a_shell(capsys):
    from catalog.management.commands.catalog import Command

    for words in (["check"], ["check", "x", "--nothing"], []):
        with pytest.raises(SystemExit) as ended:
            Command().run_from_argv(["manage.py", "catalog", *words])
        assert (ended.value.code, "usage: " in capsys.readouterr().err) == (3, True)


# ── over the API of another Signalbox ──


@pytest.fixture
def elsewhere(town, monkeypatch):
    """The address and a token of a Signalbox that answers over a socket."""
    _, text = Token.issue(name="build", team=town.team, reads=True)
    answers = Client()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            response = answers.post(
                self.path,
                body,
                content_type="application/json",
                headers={"Authorization": self.headers["Authorization"]},
            )
            self.send_response(response.status_code)
            self.send_header("Content-Type", response["Content-Type"])
            self.send_header("Content-Length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)
            connections.close_all()

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        monkeypatch.setenv("SIGNALBOX_TOKEN", text)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_another_signalbox_is_asked_over_its_api(run, files, elsewhere):
    assert run("check", files["old"], "--url", elsewhere)[0] == 0
    ends, said = run("check", files["broken"], "--url", elsewhere)
    assert (ends, f"{files['broken']}:4: " in said) == (1, True)
    ends, said = run("check", files["worse"], "--against", "order.placed", "--url", elsewhere)
    assert (ends, "against version 1" in said) == (1, True)
    assert run("check", files["new"], "--against", "order.placed", "--url", elsewhere)[0] == 0
    ends, said = run("check", files["new"], "--against", "nothing", "--url", elsewhere)
    assert (ends, "404" in said) == (3, True)
    ends, said = run("check", files["new"], "--url", elsewhere, "--token", "sbx_no_token")
    assert (ends, "401" in said) == (3, True)


# ── with the catalog of this Signalbox ──


@pytest.mark.django_db
def test_a_schema_is_compared_with_a_type_of_this_signalbox(run, files, town):
    ends, said = run("check", files["worse"], "--against", "order.placed")
    assert (ends, "against version 1" in said) == (1, True)
    assert run("check", files["worse"], "--against", "order.placed", "--mode", "none")[0] == 0
    ends, said = run("check", files["new"], "--against", "nothing")
    assert (ends, "neither a file nor" in said) == (3, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (["asyncapi"], '"asyncapi": "3.'),
        (["asyncapi", "--yaml", "--source", "shop"], "asyncapi: "),
        (["openapi"], '"openapi": "3.1'),
        (["xregistry"], '"specversion"'),
        (["schemas"], '"$id"'),
        (["backstage"], "kind: "),
    ],
)
def test_the_catalog_is_exported(run, town, tmp_path, words, holds):
    ends, said = run("export", *words, "--url", "https://signals.example.com")
    assert (ends, holds in said) == (0, True)
    file = tmp_path / "out"
    assert run("export", *words, "--url", "https://signals.example.com", "-o", file)[0] == 0
    assert file.read_text() == said


@pytest.mark.django_db
def test_what_cannot_be_exported_ends_with_3(run, town, tmp_path):
    assert run("export", "xregistry", "--yaml")[0] == 3
    assert run("export", "openapi", "--source", "shop")[0] == 3
    assert run("export", "asyncapi", "--source", "nowhere")[0] == 3
    assert run("export", "openapi", "-o", tmp_path / "no" / "folder")[0] == 3


ASYNCAPI = """asyncapi: 3.0.0
info: {title: Shop, version: "1"}
channels:
  orders:
    address: orders
    messages:
      lost:
        name: order.lost
        payload: {type: object, properties: {id: {type: string}}}
        examples: [{payload: {id: "1"}}]
      found:
        name: order.found
        payload: {type: object, properties: {id: {type: strin}}}
"""


@pytest.mark.django_db
def test_a_document_is_imported_and_a_second_time_nothing_changes(run, person, town, tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text(ASYNCAPI)
    words = ["import", file, "--user", "mara", "--team", "checkout", "--domain", "orders"]
    _, said = run(*words)
    assert "registered  order.lost" in said
    assert EventType.objects.get(name="order.lost").team == town.team
    assert not EventType.objects.filter(name="order.found").exists()
    assert "unchanged   order.lost" in run(*words)[1]
    assert not Draft.objects.filter(origin="import").exists()


@pytest.mark.django_db
def test_what_cannot_be_imported_says_why(run, person, town, tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_text("nothing: here")
    words = {"--user": "mara", "--team": "checkout", "--domain": "orders"}
    for option, value in (("--user", "nobody"), ("--team", "nobody"), ("--domain", "nowhere")):
        file.write_text(ASYNCAPI)
        said = [word for pair in (words | {option: value}).items() for word in pair]
        assert run("import", file, *said)[0] == 3
    file.write_text("{")
    assert run("import", file, *[word for pair in words.items() for word in pair])[0] == 1


@pytest.mark.django_db
def test_the_search_index_is_written_anew(run, town):
    SearchEntry.objects.all().delete()
    assert run("reindex") == (0, "1 event type is indexed.\n")
    assert SearchEntry.objects.filter(event_type=town).exists()
