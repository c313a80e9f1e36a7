-- Rows that are only ever added are vacuumed and frozen once, while they are new and still in memory, and then never
-- looked at again. By default a run comes when the table has grown by a fifth, reads what has gone cold, and leaves it
-- unfrozen for later runs to try again (PostgreSQL 18 does, eagerly): the older the table, the more of that.
-- Statistics of rows that look all alike are good enough for twice as many: an ANALYZE reads 30,000 pages, and at every
-- 2 per cent of growth that was a third of what Postgres did for a transfer, and more the larger the tables were.
alter table evidence set (autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_analyze_scale_factor = 0.5);
alter table chain_entry set (autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_analyze_scale_factor = 0.5);
alter table sealed_opening set (autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 10000,
  autovacuum_analyze_scale_factor = 0.5);
alter table transfer set (autovacuum_analyze_scale_factor = 0.5);
