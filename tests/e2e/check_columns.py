# SPDX-License-Identifier: Apache-2.0
"""Every column of every table of a node's stores, and every file of its keeper, changed a little: `s3n node check` finds
each.  Prints what it did not find, and how many changes there were.

    check_columns.py GOOD DATA      two copies of a node's folder, at rest; DATA is changed, and good again at the end"""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys

good, data = sys.argv[1], sys.argv[2]


def check():
    return subprocess.run(["s3n", "-q", "node", "check", "--data-dir", data], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, timeout=60, check=False).returncode


def restored(name):
    shutil.copyfile(f"{good}/{name}", f"{data}/{name}")
    for behind in ("-wal", "-shm", "-journal"):
        if os.path.exists(f"{data}/{name}{behind}"):
            os.unlink(f"{data}/{name}{behind}")


def changed(value):
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1] != "x" else "y")
    middle = len(value) // 2
    return value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1:]


@contextlib.contextmanager
def opened(path):
    database = sqlite3.connect(path)
    try:
        with database:
            yield database
    finally:
        database.close()


def rows_of(database, table):
    """The first and the last row, by what they are found by."""
    keys = {"record": ["space", "key"], "chunk": ["blob", "position"]}.get(table, ["id"])
    listed = ", ".join(keys)
    found = [database.execute(f"SELECT {listed} FROM {table} ORDER BY {listed} {way} LIMIT 1").fetchone()
             for way in ("ASC", "DESC")]
    return keys, [row for row in dict.fromkeys(found) if row is not None]


count, missed = 0, []
for name in ("store/store.db", "store/state.db"):
    with opened(f"{good}/{name}") as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
    for table in tables:
        for column in columns[table]:
            if (table, column) == ("head", "id"):
                continue  # can be nothing but 1
            with opened(f"{data}/{name}") as database:
                keys, rows = rows_of(database, table)
            for row in rows:
                where = " AND ".join(f"{key} = ?" for key in keys)
                with opened(f"{data}/{name}") as database:
                    value = database.execute(f"SELECT {column} FROM {table} WHERE {where}", row).fetchone()[0]
                    database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (changed(value), *row))
                count += 1
                if check() != 6:
                    missed.append(f"{name}: {table}.{column} of {row}")
                restored(name)
# The keeper's: without a whole one of each it does not start, or opens nothing.  What sim-root.pem says is judged by
# whoever verifies evidence; of the anchor's places the older of a store's two is what a crash may leave.
for name in ("keeper/root", "keeper/sim-rtmr3", "keeper/events"):
    with open(f"{data}/{name}", "r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(changed(content))
    count += 1
    if check() == 0:
        missed.append(name)
    for back in ("keeper/root", "keeper/sim-rtmr3", "keeper/events", "keeper/anchor"):
        restored(back)
if check() != 0:
    missed.append("what is good again")
for what in missed:
    print(f"not found: {what}")
print(f"{count} changes")
sys.exit(1 if missed or count < 24 else 0)
