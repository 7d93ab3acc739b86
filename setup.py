"""What a wheel holds beside the files of the tree: the parser's tables, so that no start compiles the grammars."""

from pathlib import Path

import lark
from setuptools import setup
from setuptools.command.build_py import build_py

GRAMMARS = ("signup_log", "tahoe_cfg")


class WithTables(build_py):
    """Copies the packages, then compiles the grammars beside them."""

    def run(self) -> None:
        """An editable package reads the tree itself, whose grammars may change: it has no tables."""
        super().run()
        if self.editable_mode:
            return
        for name in GRAMMARS:
            compiled = lark.Lark.open(f"grammars/{name}.lark", parser="lalr", lexer="contextual")
            folder = Path(self.build_lib, "laeforensics", "grammars")
            with (folder / f"{name}.{lark.__version__}.tables").open("wb") as file:
                compiled.save(file)


setup(cmdclass={"build_py": WithTables})
