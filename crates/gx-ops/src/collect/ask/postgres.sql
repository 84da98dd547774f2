-- Facts of one PostgreSQL server, and of the tables of the database that is connected to, as one
-- row of JSON. It is for psql, changes nothing, and reads no password. Tables that the role may not
-- read are counted as PostgreSQL estimates them; the role pg_monitor sees who replicates.
\set QUIET on
\pset format unaligned
\pset tuples_only on
\if :{?place}
\else
\set place ''
\endif
BEGIN TRANSACTION READ ONLY;
SET LOCAL statement_timeout = '60s';
SET LOCAL lock_timeout = '2s';
SELECT json_build_object(
    'gx', 'postgres 1',
    'at', extract(epoch FROM now())::bigint,
    'place', :'place',
    'version', current_setting('server_version'),
    'inRecovery', pg_is_in_recovery(),
    'systemIdentifier', (SELECT system_identifier::text FROM pg_control_system()),
    'settings', (
        SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN (
            'archive_mode', 'autovacuum', 'default_transaction_read_only', 'fsync',
            'full_page_writes', 'hot_standby',
            'max_connections', 'max_replication_slots', 'max_wal_senders', 'password_encryption',
            'port', 'reserved_connections', 'shared_buffers', 'ssl',
            'superuser_reserved_connections', 'synchronous_commit', 'wal_level'
        )
    ),
    'connections', (
        SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
    ),
    'roles', (
        SELECT coalesce(json_agg(json_build_object(
            'name', rolname, 'canLogin', rolcanlogin, 'isSuperuser', rolsuper,
            'canReplicate', rolreplication
        ) ORDER BY rolname), '[]') FROM pg_roles WHERE rolname NOT LIKE 'pg\_%'
    ),
    'standbys', CASE WHEN pg_has_role('pg_monitor', 'USAGE') THEN (
        SELECT coalesce(json_agg(json_build_object(
            'name', application_name, 'state', coalesce(state, ''),
            'syncState', coalesce(sync_state, ''),
            'lagBytes', greatest(0, pg_wal_lsn_diff(
                CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                     ELSE pg_current_wal_lsn() END, replay_lsn))::bigint,
            'lagMs', greatest(0, extract(epoch FROM replay_lag) * 1000)::bigint
        ) ORDER BY application_name, pid), '[]') FROM pg_stat_replication
    ) END,
    'slots', (
        SELECT coalesce(json_agg(json_build_object(
            'name', slot_name, 'active', active, 'walStatus', coalesce(wal_status, '')
        ) ORDER BY slot_name), '[]') FROM pg_replication_slots
    ),
    'archiver', (
        SELECT json_build_object(
            'archivedAt', extract(epoch FROM last_archived_time)::bigint,
            'failedAt', extract(epoch FROM last_failed_time)::bigint
        ) FROM pg_stat_archiver
    ),
    'receiver', coalesce((SELECT status FROM pg_stat_wal_receiver), ''),
    -- A standby that has replayed all that it has received is not behind, however long ago that was.
    'replayLagMs', CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN pg_last_wal_receive_lsn() IS NOT DISTINCT FROM pg_last_wal_replay_lsn() THEN 0
        ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()) * 1000)::bigint
    END,
    'waiting', (SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'),
    'longestWaitSeconds', (
        SELECT coalesce(greatest(0, max(extract(epoch FROM clock_timestamp() - query_start))), 0)::bigint
        FROM pg_stat_activity WHERE wait_event_type = 'Lock'
    ),
    'connectedTo', current_database(),
    'schemaVersion', CASE WHEN has_table_privilege(to_regclass('schema_migrations'), 'SELECT') THEN substring(
        query_to_xml('SELECT max(version) AS v FROM schema_migrations', true, true, '')::text
        FROM '<v>([0-9]+)</v>')::int END,
    'schemaKeeps', CASE WHEN has_table_privilege(to_regclass('schema_keeps'), 'SELECT') THEN substring(
        query_to_xml('SELECT min(version) AS v FROM schema_keeps', true, true, '')::text
        FROM '<v>([0-9]+)</v>')::int END,
    -- Kept passwords of another form than this platform's. They are looked at by the server alone.
    'otherHashes', CASE WHEN EXISTS (
        SELECT FROM information_schema.columns
        WHERE (table_schema, table_name, column_name) = ('public', 'credentials', 'password_hash')
            AND has_column_privilege('public.credentials', 'password_hash', 'SELECT')
    ) THEN substring(query_to_xml(
        'SELECT count(*) AS n FROM public.credentials
        WHERE password_hash NOT LIKE ''$argon2id$%'' AND password_hash <> ''''', true, true, ''
    )::text FROM '<n>([0-9]+)</n>')::bigint END,
    -- Domains that are nobody's, and kept for examples and tests (RFC 2606).
    'testAccounts', CASE WHEN EXISTS (
        SELECT FROM information_schema.columns
        WHERE (table_schema, table_name, column_name) = ('public', 'users', 'email')
            AND has_column_privilege('public.users', 'email', 'SELECT')
    ) THEN substring(query_to_xml(
        'SELECT count(*) AS n FROM public.users
        WHERE email ~* ''[@.](test|example|invalid|localhost|example\.(com|net|org))$''',
        true, true, ''
    )::text FROM '<n>([0-9]+)</n>')::bigint END,
    'schemaHash', (
        SELECT encode(sha256(convert_to(coalesce(string_agg(line, E'\n' ORDER BY line), ''), 'UTF8')), 'hex')
        FROM (
            SELECT format('%s.%s.%s %s %s %s', table_schema, table_name, column_name, data_type,
                is_nullable, coalesce(column_default, '')) AS line
            FROM information_schema.columns
            WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
            UNION ALL
            SELECT indexdef FROM pg_indexes
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
        ) AS lines
    ),
    'tables', (
        SELECT coalesce(json_agg(json_build_object(
            'name', CASE WHEN schemaname = 'public' THEN relname
                         ELSE schemaname || '.' || relname END,
            'rows', coalesce(exact, n_live_tup), 'isExact', exact IS NOT NULL,
            'deadRows', n_dead_tup, 'bytes', bytes,
            'vacuumedAt', extract(epoch FROM greatest(last_vacuum, last_autovacuum))::bigint
        ) ORDER BY schemaname, relname), '[]') FROM (
            SELECT *, pg_total_relation_size(relid) AS bytes, CASE
                WHEN pg_relation_size(relid) < 1048576
                    AND has_schema_privilege(schemaname, 'USAGE')
                    AND has_table_privilege(relid, 'SELECT')
                THEN substring(query_to_xml(
                    format('SELECT count(*) AS n FROM %I.%I', schemaname, relname), true, true, ''
                )::text FROM '<n>([0-9]+)</n>')::bigint
            END AS exact
            FROM pg_stat_user_tables
        ) AS counted
    ),
    'databases', (
        SELECT coalesce(json_agg(json_build_object(
            'name', datname,
            'bytes', CASE WHEN has_database_privilege(datname, 'CONNECT')
                THEN pg_database_size(oid) ELSE 0 END,
            'xidAge', age(datfrozenxid)
        ) ORDER BY datname), '[]') FROM pg_database WHERE NOT datistemplate
    )
);
ROLLBACK;
