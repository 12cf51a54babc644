-- Measurements have a sequence number, so that attempts keep their order although the clock was set back.
--
-- Each new measurement gets the time in microseconds since 1970, or one more than the highest number in the store if
-- that is greater. The number therefore only grows within one store, and measurements of two stores that were merged
-- lie in the order of their times. Measurements of an older store keep the order of their times.
DROP VIEW newest;
DROP VIEW counting;
DROP VIEW attempts;

ALTER TABLE measurements ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE measurements SET sequence = CAST(recorded * 1000000 AS INTEGER);
CREATE INDEX measurements_by_sequence ON measurements (sequence);

-- Every measurement with its label, its attempt number, counted from 1, and the number of attempts. The attempt with
-- the highest number counts; an interrupted attempt is numbered before those that came to an end.
CREATE VIEW attempts AS
SELECT
    measurements.*,
    runs.label,
    row_number() OVER (
        PARTITION BY measurements.machine, measurements.code, plugin, label, cell, round
        ORDER BY state <> 'interrupted', sequence, run
    ) AS attempt,
    count(*) OVER (PARTITION BY measurements.machine, measurements.code, plugin, label, cell, round) AS attempts,
    first_value(measurements.code || ' ' || plugin || ' ' || label) OVER (
        PARTITION BY measurements.machine, cell ORDER BY state = 'interrupted', sequence DESC, run
    ) AS newest_code
FROM measurements JOIN runs ON runs.id = run;

-- What counts: the last attempt of every machine, code, label, cell and round.
CREATE VIEW counting AS SELECT * FROM attempts WHERE attempt = attempts;

-- What a report shows: of that, only the newest code and label that measured the cell on its machine.
CREATE VIEW newest AS SELECT * FROM counting WHERE newest_code = code || ' ' || plugin || ' ' || label;
