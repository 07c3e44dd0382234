"""What an installation takes: seconds of the commands that whoever runs it waits for, megabytes of each part."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from bench.stand import Stand

COMMANDS = {"reindex": ("reindex",), "check": ("check",), "backup": ("backup", "BACKUP")}


def sizes(stand: Stand) -> dict[str, Any]:
    """Seconds of reindex, check and backup while nobody visits; megabytes on the disk and in memory."""
    web = stand.webs[0]
    backup = stand.folder / "drill.backup"
    seconds: dict[str, float | None] = {}
    for name, command in COMMANDS.items():
        began = time.monotonic()
        done = web.run(*(str(backup) if word == "BACKUP" else word for word in command))
        seconds[name] = round(time.monotonic() - began, 1) if done.returncode == 0 else None
        if done.returncode:
            click.echo(f"{name}: {done.stdout[-500:]} {done.stderr[-500:]}", err=True)
    found = stand.database.run("SELECT sum(pg_database_size(datname)) FROM pg_database WHERE datname = 'practices'")
    nodes = stand.cluster.nodes if stand.cluster is not None else []
    return {
        "seconds": seconds,
        "database_mb": round(int(found.fetchone()[0]) / 1e6, 1),
        "backup_mb": round(backup.stat().st_size / 1e6, 1) if backup.exists() else None,
        "search_memory_mb": [memory(node.pid) for node in nodes],
        "search_disk_mb": [on_disk(node.folder) for node in nodes],
    }


def memory(process: int) -> float:
    """Megabytes of memory that a process holds."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024, 1)


def on_disk(folder: Path) -> float:
    """Megabytes of the files in a folder."""
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)
