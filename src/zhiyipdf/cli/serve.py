"""``zhiyipdf serve``: run the embedded server on a socket, and keep its keys and points."""

from __future__ import annotations

import dataclasses
import datetime
import logging
import shlex
from importlib.util import find_spec
from pathlib import Path

import click
import platformdirs

from zhiyipdf.server import accounts
from zhiyipdf.server.database import Database, FolderInUse, FolderLock, open_database
from zhiyipdf.server.settings import ServerSettings, TranslationEndpoint

__all__ = ["serve"]

_NEEDED = ("starlette", "uvicorn", "python_multipart", "liteparse")
_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ZHIYIPDF_SERVER_DIR",
    show_envvar=True,
    help="Folder of the server's database, uploads and results.",
)


def _folder(context: click.Context, data_dir: Path | None) -> Path:
    outer: Path | None = context.obj if isinstance(context.obj, Path) else None
    return data_dir or outer or platformdirs.user_data_path("zhiyipdf") / "server"


@click.group(invoke_without_command=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535))
@_DATA_DIR
@click.option(
    "--workers", type=click.IntRange(min=1), help="Conversions at the same time; default by CPUs."
)
@click.option(
    "--task-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=900.0,
    show_default=True,
    help="Seconds one conversion may take.",
)
@click.option(
    "--translation-url",
    envvar="ZHIYIPDF_TRANSLATION_URL",
    show_envvar=True,
    help="Base URL of an OpenAI-compatible API; without it translation is refused.",
)
@click.option(
    "--translation-model",
    envvar="ZHIYIPDF_TRANSLATION_MODEL",
    show_envvar=True,
    help="Model to translate with.  [env var for its key: ZHIYIPDF_TRANSLATION_KEY]",
)
@click.option("--translation-key", envvar="ZHIYIPDF_TRANSLATION_KEY", default="", hidden=True)
@click.pass_context
def serve(
    context: click.Context,
    host: str,
    port: int,
    data_dir: Path | None,
    workers: int | None,
    task_timeout: float,
    translation_url: str | None,
    translation_model: str | None,
    translation_key: str,
) -> None:
    """Run a server that speaks the ZhiyiPDF and Doc2X APIs and converts on this machine.

    It needs a key like the real service does: make one with "zhiyipdf serve key add".
    """
    if context.invoked_subcommand is not None:
        context.obj = data_dir
        return
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise click.ClickException(
            f'the server needs {", ".join(missing)}: pip install "zhiyipdf[local]"'
        )
    folder = _folder(context, data_dir)
    settings = ServerSettings(
        folder=folder,
        task_timeout_s=task_timeout,
        translation=_endpoint(translation_url, translation_model, translation_key),
    )
    if workers is not None:
        settings = dataclasses.replace(settings, workers=workers)
    _run(settings, host=host, port=port)


def _endpoint(url: str | None, model: str | None, key: str) -> TranslationEndpoint | None:
    if url is None:
        return None
    try:
        return TranslationEndpoint(base_url=url, model=model or "", key=key)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _run(settings: ServerSettings, *, host: str, port: int) -> None:
    import uvicorn

    from zhiyipdf.server.app import create_app

    try:
        FolderLock(settings.folder).close()
    except FolderInUse as error:
        raise click.ClickException(str(error)) from error
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with open_database(settings.folder) as database:
        keys = [key for key in accounts.list_keys(database) if key.revoked_at is None]
    if not keys:
        command = f"zhiyipdf serve key add --data-dir {shlex.quote(str(settings.folder))}"
        click.echo(f"No key yet. Make one: {command} --points 1000", err=True)
    click.echo(f"Serving {settings.folder} on http://{host}:{port}", err=True)
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        lifespan="on",
        log_config=None,
        access_log=False,  # uvicorn's own writes query strings, and the API allows keys in them
        server_header=False,
        timeout_graceful_shutdown=10,
    )


@serve.group()
def key() -> None:
    """Make, list and end keys, and give them points."""


def _open(context: click.Context, data_dir: Path | None) -> Database:
    return open_database(_folder(context, data_dir))


@key.command("add")
@click.option("--points", default=1000, show_default=True, type=click.IntRange(min=0))
@click.option("--name", default="", help="For your own list.")
@click.option("--identity", is_flag=True, help="Make an identity token of Doc2X version 1 instead.")
@_DATA_DIR
@click.pass_context
def add(
    context: click.Context, *, points: int, name: str, identity: bool, data_dir: Path | None
) -> None:
    """Make a key and print it; it cannot be shown again."""
    with _open(context, data_dir) as database:
        new = accounts.add_key(database, points=points, name=name, identity=identity)
        click.echo(new.key)


@key.command("list")
@_DATA_DIR
@click.pass_context
def list_(context: click.Context, data_dir: Path | None) -> None:
    """List the keys by their first 8 characters."""
    with _open(context, data_dir) as database:
        found = accounts.list_keys(database)
    for account in found:
        click.echo(_line(account))


@key.command("points")
@click.argument("prefix", metavar="KEYPREFIX")
@click.argument("points", metavar="N", type=int)
@_DATA_DIR
@click.pass_context
def points(context: click.Context, prefix: str, points: int, data_dir: Path | None) -> None:
    """Add N points to a key; take some with "-- KEYPREFIX -N"."""
    with _open(context, data_dir) as database:
        try:
            click.echo(_line(accounts.add_points(database, prefix, points)))
        except (accounts.UnknownKey, accounts.InsufficientPoints) as error:
            raise click.ClickException(str(error)) from error


@key.command("revoke")
@click.argument("prefix", metavar="KEYPREFIX")
@_DATA_DIR
@click.pass_context
def revoke(context: click.Context, prefix: str, data_dir: Path | None) -> None:
    """End a key at once; what it has running is still finished."""
    with _open(context, data_dir) as database:
        try:
            account = accounts.revoke_key(database, prefix)
        except accounts.UnknownKey as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"revoked {account.prefix}...")


def _line(account: accounts.Account) -> str:
    made = datetime.datetime.fromtimestamp(account.created_at, tz=datetime.UTC)
    state = "in use" if account.revoked_at is None else "revoked"
    return "\t".join(
        [f"{account.prefix}...", str(account.points), state, f"{made:%Y-%m-%d}", account.name]
    )
