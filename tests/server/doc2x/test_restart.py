"""What a server left behind, the next one takes up."""

from __future__ import annotations

from pathlib import Path

from support import scripted_engine
from support.doc2x import Doc2X
from support.embedded import running
from support.scripted_engine import make_gate, open_gate, scripted_pdf
from zhiyipdf.server.accounts import add_key
from zhiyipdf.server.database import open_database
from zhiyipdf.server.doc2x.settings import Doc2XSettings
from zhiyipdf.server.settings import ServerSettings


def test_a_restart_loses_no_upload_and_charges_nothing_twice(tmp_path: Path) -> None:
    settings = ServerSettings(
        folder=tmp_path / "server",
        engine=scripted_engine.NAME,
        doc2x=Doc2XSettings(tasks_per_key=1),
    )
    with open_database(settings.folder) as database:
        key = add_key(database, points=10).key
    gate = make_gate(tmp_path, "gate")
    with running(settings) as api:
        service = Doc2X(api, key)
        announced = service.preupload()
        running_uid = service.upload(scripted_pdf(pages=2, gate=str(gate)))
        service.wait(lambda: service.status(running_uid), lambda _: service.remain() == 8)
        waiting_uid = service.upload(scripted_pdf())
        service.wait(
            lambda: service.status(waiting_uid),
            lambda answer: answer["code"] == "parse_task_limit_exceeded",
        )
    with running(settings) as api:
        service = Doc2X(api, key)
        open_gate(gate)
        assert service.finish(running_uid)["code"] == "success"
        assert service.finish(waiting_uid)["code"] == "success"
        url = announced["url"].replace(announced["url"].split("/objects")[0], api.base)
        assert service.put(url, scripted_pdf()).status_code == 200
        assert service.finish(announced["uid"])["code"] == "success"
        assert service.remain() == 6


def test_a_folder_of_an_older_server_is_brought_up_to_date(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        key = add_key(database, points=3).key
        with database.transaction() as connection:
            for table in ("doc2x_exports", "doc2x_uploads", "secrets"):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("PRAGMA user_version = 1")
    settings = ServerSettings(folder=tmp_path, engine=scripted_engine.NAME)
    with running(settings) as api:
        service = Doc2X(api, key)
        service.parse(scripted_pdf())
        assert service.remain() == 2
