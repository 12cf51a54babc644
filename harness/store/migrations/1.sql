-- Schema version 1: the tables of a store, which is one SQLite file. The files of this folder are the schema: a new
-- store runs all of them in the order of their numbers, and an older store runs those that it lacks.
--
-- Times are seconds since 1970. Columns that hold JSON say so. A figure that is not a number is the text 'nan':
-- SQLite itself turns NaN into NULL, which here means that the cell did not get that far.

-- A machine by the short identity that its rows carry; only rows of one machine may be compared as times.
CREATE TABLE machines (
    name  TEXT PRIMARY KEY,
    facts TEXT NOT NULL                 -- JSON: what the machine was when it first wrote here
);

-- One call of `harness run`.
CREATE TABLE runs (
    id         TEXT PRIMARY KEY,        -- random, so that the runs of two stores never collide in a merge
    machine    TEXT NOT NULL REFERENCES machines (name),
    study      TEXT NOT NULL,
    study_text TEXT NOT NULL,           -- the study file as it was
    seed       TEXT NOT NULL,           -- decimal: of the random order of cells and rounds; has no upper limit
    command    TEXT NOT NULL,           -- as it was typed
    harness    TEXT NOT NULL,           -- version
    code       TEXT NOT NULL,           -- identity of the measuring code, see identity.py
    started    REAL NOT NULL
);

-- What was measured, once for each key however often it was measured.
CREATE TABLE cells (
    key      TEXT PRIMARY KEY,          -- Cell.key
    settings TEXT NOT NULL,             -- JSON: Cell.to_json() without the name of the study
    backend  TEXT    GENERATED ALWAYS AS (json_extract(settings, '$.backend')) VIRTUAL,
    options  TEXT    GENERATED ALWAYS AS (json_extract(settings, '$.options')) VIRTUAL,
    workers  INTEGER GENERATED ALWAYS AS (json_extract(settings, '$.workers')) VIRTUAL,
    batch    INTEGER GENERATED ALWAYS AS (json_extract(settings, '$.batch')) VIRTUAL,
    dataset  TEXT    GENERATED ALWAYS AS (json_extract(settings, '$.dataset')) VIRTUAL,
    network  TEXT    GENERATED ALWAYS AS (json_extract(settings, '$.network')) VIRTUAL,
    rate     REAL    GENERATED ALWAYS AS (json_extract(settings, '$.rate')) VIRTUAL
);

-- The cells that a run's study names, those included that an earlier run had measured already.
CREATE TABLE run_cells (
    run  TEXT NOT NULL REFERENCES runs (id),
    cell TEXT NOT NULL REFERENCES cells (key),
    PRIMARY KEY (run, cell)
) WITHOUT ROWID;

-- One cell in one round. A run measures each at most once; a later run may add another attempt.
CREATE TABLE measurements (
    run                 TEXT NOT NULL REFERENCES runs (id),
    cell                TEXT NOT NULL REFERENCES cells (key),
    round               INTEGER NOT NULL,
    machine             TEXT NOT NULL REFERENCES machines (name),
    code                TEXT NOT NULL,  -- identity of the measuring code
    plugin              TEXT NOT NULL,  -- identity of the backend's plugin: its version and the digest of its files
    recorded            REAL NOT NULL,
    state               TEXT NOT NULL,
    reason              TEXT NOT NULL,
    started             REAL NOT NULL,
    setup_seconds       REAL,
    load_seconds        REAL,
    first_epoch_seconds REAL,
    epoch_seconds       TEXT NOT NULL,  -- JSON: raw samples, in order
    gflops              REAL,
    peak_share          REAL,
    final_loss          REAL,
    accuracy            REAL,
    peak_bytes          INTEGER,
    history             TEXT NOT NULL,  -- JSON
    warnings            TEXT NOT NULL,  -- JSON
    receipt             TEXT NOT NULL,  -- JSON
    stderr              TEXT NOT NULL,
    PRIMARY KEY (run, cell, round)
);

CREATE INDEX measurements_by_identity ON measurements (machine, code, plugin, cell, round);

-- Every measurement with its attempt number, counted from 1, and the number of attempts. The last attempt counts;
-- an interrupted one sorts before those that came to an end.
CREATE VIEW attempts AS
SELECT
    measurements.*,
    row_number() OVER (
        PARTITION BY machine, code, plugin, cell, round ORDER BY state <> 'interrupted', recorded, run
    ) AS attempt,
    count(*) OVER (PARTITION BY machine, code, plugin, cell, round) AS attempts,
    first_value(code || ' ' || plugin) OVER (
        PARTITION BY machine, cell ORDER BY state = 'interrupted', recorded DESC, run
    ) AS newest_code
FROM measurements;

-- What counts: the last attempt of every machine, code, cell and round.
CREATE VIEW counting AS SELECT * FROM attempts WHERE attempt = attempts;

-- What a report shows: of that, only the newest code that measured the cell on its machine.
CREATE VIEW newest AS SELECT * FROM counting WHERE newest_code = code || ' ' || plugin;
