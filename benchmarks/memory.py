"""Peak memory of a 300 MB upload and of a result with a 1 GB archive, beside a small conversion.

A server in another process takes the upload and hands out the archive; each conversion runs in a
process of its own, which reports its peak resident size. The bound is 64 MB over the small one.

    python benchmarks/memory.py
"""

from __future__ import annotations

import http.server
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.pdfs import write_pdf

MIB = 1024 * 1024
BOUND_MIB = 64


class Service(http.server.BaseHTTPRequestHandler):
    """Takes any upload, is done at once, and serves one archive."""

    protocol_version = "HTTP/1.1"
    archive: Path

    def do_POST(self) -> None:
        left = int(self.headers["content-length"])
        while left:
            left -= len(self.rfile.read(min(left, MIB)))
        self.reply({"success": True, "task_id": "t1", "status": "processing"})

    def do_GET(self) -> None:
        if "/download/" not in self.path:
            self.reply({"success": True, "status": "completed", "progress": 100})
            return
        self.send_response(200)
        self.send_header("content-length", str(self.archive.stat().st_size))
        self.end_headers()
        with self.archive.open("rb") as file:
            while piece := file.read(MIB):
                self.wfile.write(piece)

    def reply(self, payload: object) -> None:
        body = json.dumps(payload).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


def serve(archive: Path, port: multiprocessing.Queue[int]) -> None:
    Service.archive = archive
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    port.put(server.server_address[1])
    server.serve_forever()


def convert(
    url: str, pdf: Path, store: Path, result: multiprocessing.Queue[tuple[float, float]]
) -> None:
    from zhiyipdf import Converter

    start = time.perf_counter()
    with Converter(api_key="sk-benchmark", base_url=url, store=store) as converter:
        converter.convert(pdf)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.put((peak, time.perf_counter() - start))


def write_archive(path: Path, total_mib: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        names = [f"images/{n}-1.png" for n in range(1, total_mib // 16 + 1)]
        archive.writestr("a.md", "\n".join(f'<img src="{name}" />' for name in names) + "\ntext\n")
        for name in names:
            with archive.open(name, "w") as entry:
                for _ in range(16):
                    entry.write(os.urandom(MIB))
    return path


def main() -> int:
    spawn = multiprocessing.get_context("spawn")
    peaks: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_pdf = write_pdf(folder / "small.pdf", pages=1)
        large_pdf = write_pdf(folder / "large.pdf", pages=1, padding=299 * MIB)
        cases = {
            "small PDF, small archive": (small_pdf, 0),
            f"{large_pdf.stat().st_size / 1e6:.0f} MB PDF, small archive": (large_pdf, 0),
            "small PDF, 1 GB archive": (small_pdf, 1024),
        }
        for number, (case, (pdf, archive_mib)) in enumerate(cases.items()):
            archive = write_archive(folder / f"{number}.zip", archive_mib)
            port: multiprocessing.Queue[int] = spawn.Queue()
            server = spawn.Process(target=serve, args=(archive, port), daemon=True)
            server.start()
            url = f"http://127.0.0.1:{port.get()}"
            result: multiprocessing.Queue[tuple[float, float]] = spawn.Queue()
            client = spawn.Process(
                target=convert, args=(url, pdf, folder / f"store-{number}", result)
            )
            client.start()
            peaks[case] = result.get()
            client.join()
            server.kill()
            server.join()
            archive.unlink()
    base = next(iter(peaks.values()))[0]
    print("| conversion | peak MiB | over the small one | seconds |\n|---|---|---|---|")
    for case, (peak, seconds) in peaks.items():
        print(f"| {case} | {peak:.0f} | {peak - base:+.0f} | {seconds:.1f} |")
    return 0 if all(peak - base < BOUND_MIB for peak, _ in peaks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
