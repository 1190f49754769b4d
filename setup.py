"""What setup.cfg cannot say: the network of `tf-ig2 demo` lies outside of the package, and a wheel has it inside."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

NETWORK = "digits_cnn.keras"


class WithNetwork(build_py):
    """Builds the package, with the network that `tf-ig2 demo` explains."""

    def run(self) -> None:
        super().run()
        if not getattr(self, "editable_mode", False):
            place = Path(self.build_lib, "tf_ig2", "paper", "trained")
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(__file__).parent / "saved_models" / NETWORK, place / NETWORK)


setup(cmdclass={"build_py": WithNetwork})
