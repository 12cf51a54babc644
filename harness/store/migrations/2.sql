-- Runs have a label, so that two states of one machine or one code can be told apart and compared.
DROP VIEW newest;
DROP VIEW counting;
DROP VIEW attempts;

ALTER TABLE runs ADD COLUMN label TEXT NOT NULL DEFAULT '';

-- Every measurement with its label, its attempt number, counted from 1, and the number of attempts.
CREATE VIEW attempts AS
SELECT
    measurements.*,
    runs.label,
    row_number() OVER (
        PARTITION BY measurements.machine, measurements.code, plugin, label, cell, round
        ORDER BY state <> 'interrupted', recorded, run
    ) AS attempt,
    count(*) OVER (PARTITION BY measurements.machine, measurements.code, plugin, label, cell, round) AS attempts,
    first_value(measurements.code || ' ' || plugin || ' ' || label) OVER (
        PARTITION BY measurements.machine, cell ORDER BY state = 'interrupted', recorded DESC, run
    ) AS newest_code
FROM measurements JOIN runs ON runs.id = run;

-- What counts: the last attempt of every machine, code, label, cell and round.
CREATE VIEW counting AS SELECT * FROM attempts WHERE attempt = attempts;

-- What a report shows: of that, only the newest code and label that measured the cell on its machine.
CREATE VIEW newest AS SELECT * FROM counting WHERE newest_code = code || ' ' || plugin || ' ' || label;
