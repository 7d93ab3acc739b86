"""`key`: whether a key that was kept, or handed on, is the manifest's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from laerecover.cli._options import JsonOpt, print_json, takes

if TYPE_CHECKING:
    from laerecover.options import Options

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The manifest's key: whether the one that you have is it."
)


@takes("key_file")
def check(options: Options, json_: JsonOpt = False) -> None:
    """Does this key open this manifest? Tells the key's fingerprint, to be compared by telephone; never the key."""
    from laerecover.cli._show import show_key
    from laerecover.manifest import read_manifest

    manifest = read_manifest(options.places.manifest, key_file=options.places.key_file)
    if json_:
        told = {"fingerprint": options.places.fingerprint(), "manifest_digest": manifest.digest}
        print_json({**told, "accounts": len(manifest.accounts)})
    else:
        show_key(options, manifest)


app.command()(check)
