-- The store of fleets on PostgreSQL 15 or later. Run it as the role that is to own it, which no node logs in as: it makes the
-- schema `hallpass` where there is none, and brings an older one to this version. Run again, it changes nothing.
--
-- Nodes log in as a role that can execute what they call and write no table: it can raise a row over the one that it names and
-- add an entry over the mark that it names, but take neither away, put neither back, and reach no other fleet. For each fleet:
--
--     CREATE ROLE hp_node LOGIN PASSWORD '…';
--     SELECT hallpass.create_fleet('tenant', 'fleet', 'hp_node');
--
-- Tables change in numbered steps. Functions are what nodes call, and are replaced by each version: an older node calls those of
-- a newer version, so none that it calls goes away or changes its arguments before all nodes have gone over.

BEGIN;

CREATE SCHEMA IF NOT EXISTS hallpass;
SET LOCAL search_path = pg_catalog, pg_temp;
-- Two at once would both find the same version.
SELECT pg_advisory_xact_lock(hashtext('hallpass.schema'));
CREATE TABLE IF NOT EXISTS hallpass.version (number int NOT NULL, since timestamptz NOT NULL DEFAULT now());

DO $migration$
BEGIN
  IF (SELECT coalesce(max(v.number), 0) FROM hallpass.version v) < 1 THEN
    -- One row for each fleet: its mark. Who appends an entry holds it to the commit, so numbers have no gap, and entries become
    -- visible in their order.
    CREATE TABLE hallpass.fleet (
      tenant text NOT NULL CHECK (octet_length(tenant) BETWEEN 1 AND 64),
      fleet  text NOT NULL CHECK (octet_length(fleet) BETWEEN 1 AND 64),
      -- Who may use it: this role, and its members.
      member name NOT NULL,
      number bigint NOT NULL DEFAULT 0 CHECK (number >= 0),
      digest bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (octet_length(digest) = 32),
      PRIMARY KEY (tenant, fleet)
    ) WITH (fillfactor = 50);

    CREATE TABLE hallpass.entry (
      tenant text NOT NULL,
      fleet  text NOT NULL,
      number bigint NOT NULL CHECK (number > 0),
      id     bytea NOT NULL CHECK (octet_length(id) = 16),
      digest bytea NOT NULL CHECK (octet_length(digest) = 32),
      -- Eight megabytes, and what stands around them.
      bytes  bytea NOT NULL CHECK (octet_length(bytes) <= 8389632),
      PRIMARY KEY (tenant, fleet, number),
      UNIQUE (tenant, fleet, id),
      FOREIGN KEY (tenant, fleet) REFERENCES hallpass.fleet ON DELETE CASCADE
    );

    -- Renewals replace rows in place: nothing that they change is indexed, and each page has room for the next version.
    CREATE TABLE hallpass.node (
      tenant text NOT NULL,
      fleet  text NOT NULL,
      name   text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 64),
      incarnation bytea NOT NULL CHECK (octet_length(incarnation) = 16),
      counter bigint NOT NULL CHECK (counter >= 0),
      state  text NOT NULL CHECK (state IN ('live', 'silent', 'gone', 'left')),
      bytes  bytea NOT NULL CHECK (octet_length(bytes) <= 4096),
      PRIMARY KEY (tenant, fleet, name),
      FOREIGN KEY (tenant, fleet) REFERENCES hallpass.fleet ON DELETE CASCADE
    ) WITH (fillfactor = 50);

    INSERT INTO hallpass.version (number) VALUES (1);
  END IF;

  IF (SELECT max(v.number) FROM hallpass.version v) < 2 THEN
    -- Counters that nodes share. Each change gives a version that none had before: a counter that was removed and made again is
    -- another one.
    CREATE SEQUENCE hallpass.counter_version;
    CREATE TABLE hallpass.counter (
      tenant text NOT NULL,
      fleet  text NOT NULL,
      key    bytea NOT NULL CHECK (octet_length(key) = 32),
      version bigint NOT NULL DEFAULT nextval('hallpass.counter_version'),
      bytes  bytea NOT NULL CHECK (octet_length(bytes) <= 4194304),
      -- From when on it counts nothing any more, in milliseconds since 1970; null where it counts for good.
      past   bigint,
      PRIMARY KEY (tenant, fleet, key),
      FOREIGN KEY (tenant, fleet) REFERENCES hallpass.fleet ON DELETE CASCADE
    ) WITH (fillfactor = 70);
    CREATE INDEX counter_past ON hallpass.counter (tenant, fleet, past);

    INSERT INTO hallpass.version (number) VALUES (2);
  END IF;
END
$migration$;

-- The version of what nodes call.
CREATE OR REPLACE FUNCTION hallpass.store_version() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT max(v.number) FROM hallpass.version v $$;

-- Where it is told that a fleet has a new entry.
CREATE OR REPLACE FUNCTION hallpass.channel(in_tenant text, in_fleet text) RETURNS text
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'hallpass_' || md5(in_tenant || '/' || in_fleet) $$;

-- Refuses who may not use a fleet, and a server that is not the primary. A member of the role of one fleet reaches no other. This
-- and the next are called by the functions below alone, which have set the path: to set it again would cost each renewal.
CREATE OR REPLACE FUNCTION hallpass.admit(in_tenant text, in_fleet text) RETURNS void
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'this server is a standby, expected the primary' USING ERRCODE = 'read_only_sql_transaction';
  END IF;
  IF NOT EXISTS (
    SELECT FROM hallpass.fleet f
    WHERE f.tenant = in_tenant AND f.fleet = in_fleet AND pg_has_role(session_user, f.member, 'MEMBER')
  ) THEN
    RAISE EXCEPTION 'there is no fleet `%` of tenant `%` that role `%` may use', in_fleet, in_tenant, session_user
      USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$$;

-- Refuses a server on which what is committed could be lost: what was acknowledged has to stay.
CREATE OR REPLACE FUNCTION hallpass.check_durability() RETURNS void
LANGUAGE plpgsql STABLE
AS $$
DECLARE
  setting text;
BEGIN
  -- As it is nearly always, in one look.
  IF current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
    AND current_setting('synchronous_commit') = 'on' AND coalesce(current_setting('hallpass.replicated', true), 'off') = 'off'
  THEN
    RETURN;
  END IF;
  FOREACH setting IN ARRAY ARRAY['fsync', 'full_page_writes', 'synchronous_commit'] LOOP
    IF current_setting(setting) <> 'on' AND (setting, current_setting(setting)) <> ('synchronous_commit', 'remote_apply') THEN
      RAISE EXCEPTION 'the setting `%` is `%`, expected `on`', setting, current_setting(setting)
        USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
  END LOOP;
  -- A node that was told of a standby counts on one.
  IF current_setting('hallpass.replicated', true) = 'on' AND current_setting('synchronous_standby_names') = '' THEN
    RAISE EXCEPTION 'the setting `synchronous_standby_names` is empty, expected a standby'
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
END
$$;

-- The mark, and the entries above a number: 256 at most, and 16 megabytes or the first of them. Within one statement.
CREATE OR REPLACE FUNCTION hallpass.news(in_tenant text, in_fleet text, in_after bigint)
RETURNS TABLE (what text, name text, number bigint, id bytea, digest bytea, state text, bytes bytea)
LANGUAGE sql STABLE
AS $$
  SELECT 'mark', NULL::text, f.number, NULL::bytea, f.digest, NULL::text, NULL::bytea
  FROM hallpass.fleet f WHERE f.tenant = in_tenant AND f.fleet = in_fleet
  UNION ALL
  SELECT 'entry', NULL, page.number, page.id, page.digest, NULL, page.bytes
  FROM (
    SELECT e.number, e.id, e.digest, e.bytes, sum(octet_length(e.bytes)) OVER (ORDER BY e.number) - octet_length(e.bytes) AS before
    FROM (
      SELECT * FROM hallpass.entry every
      WHERE every.tenant = in_tenant AND every.fleet = in_fleet AND every.number > in_after
      ORDER BY every.number LIMIT 256
    ) e
  ) page
  WHERE page.before < 16777216
$$;

-- What there is: the mark, the entries above a number, and the rows of all nodes, in one snapshot.
CREATE OR REPLACE FUNCTION hallpass.read(in_tenant text, in_fleet text, in_after bigint)
RETURNS TABLE (what text, name text, number bigint, id bytea, digest bytea, state text, bytes bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM hallpass.admit(in_tenant, in_fleet);
  RETURN QUERY
    SELECT * FROM hallpass.news(in_tenant, in_fleet, in_after)
    UNION ALL
    SELECT 'node', n.name, n.counter, n.incarnation, NULL, n.state, n.bytes
    FROM hallpass.node n WHERE n.tenant = in_tenant AND n.fleet = in_fleet;
END
$$;

-- Appends an entry over a mark; whether it did. The row of the mark is held to the commit.
CREATE OR REPLACE FUNCTION hallpass.append(
  in_tenant text, in_fleet text, in_number bigint, in_id bytea, in_digest bytea, in_bytes bytea,
  over_number bigint, over_digest bytea
) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM hallpass.admit(in_tenant, in_fleet);
  PERFORM hallpass.check_durability();
  UPDATE hallpass.fleet f SET number = in_number, digest = in_digest
  WHERE f.tenant = in_tenant AND f.fleet = in_fleet
    AND f.number = over_number AND f.digest = over_digest AND in_number = over_number + 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO hallpass.entry VALUES (in_tenant, in_fleet, in_number, in_id, in_digest, in_bytes);
  PERFORM pg_notify(hallpass.channel(in_tenant, in_fleet), in_number::text);
  RETURN true;
END
$$;

-- Replaces a row over another, or over none; whether it did (the number of the row `written`), the mark, and the entries above a
-- number. The node's own row, too, where it did not. What is read is read after what was written.
CREATE OR REPLACE FUNCTION hallpass.write(
  in_tenant text, in_fleet text, in_name text, in_incarnation bytea, in_counter bigint, in_state text, in_bytes bytea,
  over_incarnation bytea, over_counter bigint, over_state text, in_after bigint
) RETURNS TABLE (what text, name text, number bigint, id bytea, digest bytea, state text, bytes bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  done boolean;
  head hallpass.fleet%ROWTYPE;
BEGIN
  -- Renewals are nearly all that a fleet asks for: what is nearly always so is looked at here, and what is not is said there.
  PERFORM FROM hallpass.fleet f
  WHERE f.tenant = in_tenant AND f.fleet = in_fleet AND pg_has_role(session_user, f.member, 'MEMBER') AND NOT pg_is_in_recovery();
  IF NOT FOUND THEN
    PERFORM hallpass.admit(in_tenant, in_fleet);
  END IF;
  IF current_setting('fsync') <> 'on' OR current_setting('full_page_writes') <> 'on'
    OR current_setting('synchronous_commit') <> 'on' OR coalesce(current_setting('hallpass.replicated', true), 'off') <> 'off'
  THEN
    PERFORM hallpass.check_durability();
  END IF;
  IF over_incarnation IS NULL THEN
    INSERT INTO hallpass.node
    VALUES (in_tenant, in_fleet, in_name, in_incarnation, in_counter, in_state, in_bytes)
    ON CONFLICT DO NOTHING;
  ELSE
    UPDATE hallpass.node n
    SET incarnation = in_incarnation, counter = in_counter, state = in_state, bytes = in_bytes
    WHERE n.tenant = in_tenant AND n.fleet = in_fleet AND n.name = in_name
      AND n.incarnation = over_incarnation AND n.counter = over_counter AND n.state = over_state;
  END IF;
  done := FOUND;
  what := 'written';
  number := done::int;
  RETURN NEXT;
  -- With nothing new the mark is all there is; else it is read once more, with what is new, in one snapshot.
  SELECT * INTO head FROM hallpass.fleet f WHERE f.tenant = in_tenant AND f.fleet = in_fleet;
  IF head.number = in_after THEN
    what := 'mark';
    number := head.number;
    digest := head.digest;
    RETURN NEXT;
  ELSE
    RETURN QUERY SELECT * FROM hallpass.news(in_tenant, in_fleet, in_after);
  END IF;
  IF NOT done THEN
    RETURN QUERY
      SELECT 'node', n.name, n.counter, n.incarnation, NULL::bytea, n.state, n.bytes
      FROM hallpass.node n WHERE n.tenant = in_tenant AND n.fleet = in_fleet AND n.name = in_name;
  END IF;
END
$$;

-- The server's clock in milliseconds since 1970, in a row without a key, and those of these counters that are there. The clock is
-- read after the snapshot is made: no change that is not seen is of an earlier time.
CREATE OR REPLACE FUNCTION hallpass.counters(in_tenant text, in_fleet text, in_keys bytea[])
RETURNS TABLE (key bytea, version bigint, bytes bytea, past bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM hallpass.admit(in_tenant, in_fleet);
  RETURN QUERY
    SELECT c.key, c.version, c.bytes, c.past FROM hallpass.counter c
    WHERE c.tenant = in_tenant AND c.fleet = in_fleet AND c.key = ANY (in_keys)
    UNION ALL
    SELECT NULL, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, NULL, NULL;
END
$$;

-- Changes counters, if all of these are as they were read: of these versions, or absent where a version is null. Those whose bytes
-- are null stay; those whose bytes are empty go. If one is not as it was, all is rolled back as a failure to serialize, and can be
-- read and changed again. Keys come in rising order, so that no two wait for each other.
CREATE OR REPLACE FUNCTION hallpass.count(
  in_tenant text, in_fleet text, in_keys bytea[], in_versions bigint[], in_bytes bytea[], in_past bigint[]
) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  made boolean := false;
BEGIN
  PERFORM hallpass.admit(in_tenant, in_fleet);
  PERFORM hallpass.check_durability();
  FOR i IN 1..cardinality(in_keys) LOOP
    IF in_versions[i] IS NULL THEN
      -- One that stays absent is held for as long, or two could each miss what the other makes.
      INSERT INTO hallpass.counter VALUES
        (in_tenant, in_fleet, in_keys[i], DEFAULT, coalesce(in_bytes[i], ''), in_past[i])
      ON CONFLICT DO NOTHING;
      made := made OR FOUND;
    ELSE
      UPDATE hallpass.counter c
      SET version = CASE WHEN in_bytes[i] IS NULL THEN c.version ELSE nextval('hallpass.counter_version') END,
        bytes = coalesce(in_bytes[i], c.bytes),
        past = CASE WHEN in_bytes[i] IS NULL THEN c.past ELSE in_past[i] END
      WHERE c.tenant = in_tenant AND c.fleet = in_fleet AND c.key = in_keys[i] AND c.version = in_versions[i];
    END IF;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'a counter is not as it was read' USING ERRCODE = 'serialization_failure';
    END IF;
  END LOOP;
  DELETE FROM hallpass.counter c
  WHERE c.tenant = in_tenant AND c.fleet = in_fleet AND c.key = ANY (in_keys) AND octet_length(c.bytes) = 0;
  IF made THEN
    -- With each new one some go that count nothing any more, so that there are not more and more.
    DELETE FROM hallpass.counter c USING (
      SELECT old.key FROM hallpass.counter old
      WHERE old.tenant = in_tenant AND old.fleet = in_fleet
        AND old.past <= floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AND old.key <> ALL (in_keys)
      ORDER BY old.past LIMIT 16 FOR UPDATE SKIP LOCKED
    ) gone
    WHERE c.tenant = in_tenant AND c.fleet = in_fleet AND c.key = gone.key;
  END IF;
END
$$;

-- Lets a role and its members call what nodes call.
CREATE OR REPLACE FUNCTION hallpass.grant_use(in_member name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA hallpass TO %I', in_member);
  EXECUTE format(
    'GRANT EXECUTE ON FUNCTION hallpass.store_version, hallpass.channel, hallpass.read, hallpass.append, hallpass.write, '
    'hallpass.counters, hallpass.count TO %I',
    in_member
  );
END
$$;

-- Makes a fleet, and lets a role and its members use it. Of the owner alone.
CREATE OR REPLACE FUNCTION hallpass.create_fleet(in_tenant text, in_fleet text, in_member name) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO hallpass.fleet (tenant, fleet, member) VALUES (in_tenant, in_fleet, in_member);
  PERFORM hallpass.grant_use(in_member);
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA hallpass FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA hallpass FROM PUBLIC;
-- What is new in this version, for those who used an older one.
SELECT hallpass.grant_use(member) FROM (SELECT DISTINCT f.member FROM hallpass.fleet f) members;

COMMIT;
