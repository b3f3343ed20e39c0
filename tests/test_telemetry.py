"""Nothing is sent: the telemetry of the libraries is switched off, here and in model wheels."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orbat.corpus.document import Document
from orbat.corpus.files import write_documents
from orbat.models.package_info import CODE_LICENSE, PackageInfo
from orbat.models.wheels.building import write_package
from orbat.telemetry import SWITCHES
from tests.conftest import Trained

SESSION = (
    "import onnx, onnxruntime\n"
    "from onnx import helper\n"
    "x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in 'xy')\n"
    "graph = helper.make_graph([helper.make_node('Identity', ['x'], ['y'])], 'graph', [x], [y])\n"
    "opset = [helper.make_opsetid('', 17)]\n"
    "model = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()\n"
    "onnxruntime.InferenceSession(model, providers=['CPUExecutionProvider'])\n"
)
"""Code that runs onnxruntime."""


def run(*command: object, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with an empty environment, but for a home folder and other variables.

    onnxruntime sends nothing where the variable CI is set, which would hide a missing switch.
    """
    home.mkdir(exist_ok=True)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [str(part) for part in command],
        env={**environ, "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=True,
        cwd=home.parent,
    )


def files(folder: Path) -> list[str]:
    """Return the files below a folder."""
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder in which a package without weights can be imported."""
    info = PackageInfo()
    write_package(
        tmp_path / "source",
        info,
        files={},
        card="",
        description="Test",
        meta={},
        colors={},
        license=CODE_LICENSE,
    )
    return tmp_path / "source"


@pytest.mark.parametrize("imported", ["orbat.models.runtime", "en_orbat_news"])
def test_onnxruntime_writes_no_device_id_and_no_queue(
    imported: str, package: Path, tmp_path: Path
) -> None:
    code = f"import sys\nsys.path.insert(0, {str(package)!r})\nimport {imported}\n{SESSION}"
    run(sys.executable, "-c", code, home=tmp_path / "off")
    assert files(tmp_path / "off") == []
    # This version of onnxruntime has telemetry, so that the assertion above can fail. The process
    # ends before the first report is sent.
    run(sys.executable, "-c", code, home=tmp_path / "on", ORT_DISABLE_TELEMETRY="0")
    assert any("onnxruntime" in name for name in files(tmp_path / "on"))


def test_the_libraries_know_that_telemetry_is_off(tmp_path: Path) -> None:
    code = (
        "import orbat, datasets.config, huggingface_hub.constants, transformers.utils.hub\n"
        "from ray._common.usage.usage_lib import usage_stats_enabled\n"
        "print(huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY)\n"
        "print('telemetry/off' in transformers.utils.hub.http_user_agent())\n"
        "print(not datasets.config.HF_UPDATE_DOWNLOAD_COUNTS)\n"
        "print(not usage_stats_enabled())\n"
    )
    done = run(sys.executable, "-c", code, home=tmp_path / "home")
    assert done.stdout.split() == ["True"] * 4
    on = {name: {"0": "1", "1": "0"}[value] for name, value in SWITCHES.items()}
    done = run(sys.executable, "-c", code, home=tmp_path / "home", **on)
    assert done.stdout.split() == ["False"] * 4


def test_values_of_the_user_are_kept(tmp_path: Path) -> None:
    code = f"import os, orbat\nprint(*(os.environ[name] for name in {list(SWITCHES)}))"
    done = run(sys.executable, "-c", code, home=tmp_path / "home", ORT_DISABLE_TELEMETRY="mine")
    assert done.stdout.split() == ["mine", *list(SWITCHES.values())[1:]]


def internet_sockets(trace: str) -> list[str]:
    """Return the calls in the output of strace that reach beyond this machine."""
    calls = re.findall(r"(?:connect|sendto|sendmsg|sendmmsg)\(.*AF_INET.*", trace)
    return [call for call in calls if '"127.0.0.1"' not in call and '"::1"' not in call]


@pytest.mark.slow
def test_packaging_and_tagging_reach_no_other_machine(
    trained: Trained, test_articles: list[Document], tmp_path: Path
) -> None:
    """onnxruntime's first report comes ten seconds after the library is loaded."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    write_documents(tmp_path / "articles.jsonl", test_articles)
    trace, home, orbat = tmp_path / "trace", tmp_path / "home", (sys.executable, "-m", "orbat")
    observed = ("strace", "-f", "--seccomp-bpf", "-e", "trace=%network,execve", "-o", trace)
    run(*observed, *orbat, "package", trained.run, "--output", tmp_path / "dist", home=home)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert "execve(" in trace.read_text()
    assert internet_sockets(trace.read_text()) == []
    code = (
        "import sys, time\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import en_orbat_news, spacy\n"
        "nlp, start = spacy.load('en_orbat_news'), time.monotonic()\n"
        "while time.monotonic() < start + 15:\n"
        "    assert nlp('Gen. Ann Doe commands the 3rd Infantry Division.').text\n"
    )
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    run(*observed, sys.executable, "-c", code, tmp_path / "site", home=home)
    assert internet_sockets(trace.read_text()) == []
    assert files(home) == []
