-- Version 1 of the tables and functions. SCHEMA stands for the name of the schema.
--
-- A call of the storage is a call of one function, and so one round trip and one transaction of the database. The
-- functions name the plans that they want: their statements look rows up by the whole key or walk a range of keys, and a
-- plan that was made while the tables were small must not stay when they have grown.

CREATE TABLE SCHEMA.organization (
    -- Random, so that it never stands for another organization, not even after an older copy of the database was restored.
    id bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    -- How many organizations had this name before and were deleted.
    generation bigint NOT NULL,
    -- Nothing is written any more.
    deleted boolean NOT NULL DEFAULT false,
    -- The version, or the claim's number, that was given last. Whoever writes changes it first, and so has the row's lock
    -- until the commit: the organization's commits follow each other, in the order of their versions.
    version bigint NOT NULL,
    -- When jobs are due, and which claim a host has on them; milliseconds since the Unix epoch.
    wake_at bigint,
    claim bigint,
    claimed_until bigint,
    UNIQUE (name, generation)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX organization_waiting ON SCHEMA.organization (wake_at) WHERE claim IS NULL AND wake_at IS NOT NULL;
CREATE INDEX organization_claimed ON SCHEMA.organization (claimed_until) WHERE claim IS NOT NULL;

CREATE TABLE SCHEMA.item (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (organization, key)
) PARTITION BY HASH (organization);

DO $$
BEGIN
    FOR part IN 0..7 LOOP
        EXECUTE format(
            'CREATE TABLE SCHEMA.item_%s PARTITION OF SCHEMA.item FOR VALUES WITH (MODULUS 8, REMAINDER %s)
            WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)',
            part, part);
    END LOOP;
END
$$;

-- What a host has committed last for an organization. A host whose connection broke during a commit sends the same number
-- again, and gets the same answer.
CREATE TABLE SCHEMA.receipt (
    organization bigint NOT NULL,
    -- Random; a process has one.
    host bigint NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    outcomes smallint[] NOT NULL,
    keys bytea[] NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (organization, host)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

-- The id of an organization; p_id becomes it if there is none yet. NULL if p_id is another's.
CREATE FUNCTION SCHEMA.number_organization(p_name text, p_generation bigint, p_id bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    -- Versions go on where those before with the same name ended.
    INSERT INTO SCHEMA.organization (id, name, generation, version)
    SELECT p_id, p_name, p_generation, coalesce(max(o.version), 0) FROM SCHEMA.organization o WHERE o.name = p_name
    ON CONFLICT DO NOTHING;
    RETURN (SELECT o.id FROM SCHEMA.organization o WHERE o.name = p_name AND o.generation = p_generation);
END
$$;

-- The items at the keys, each with the place of its key, from 1; of absent ones there is no row. A single row at place 0
-- says that there are more than p_most bytes.
CREATE FUNCTION SCHEMA.get(p_organization bigint, p_key bytea[], p_most bigint)
RETURNS TABLE (place bigint, value bytea, version bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
SET enable_memoize = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
    -- So many of the largest values are no more than p_most.
    IF cardinality(p_key) > p_most >> 20 AND p_most < (
        SELECT sum(octet_length(i.value)) FROM unnest(p_key) AS k (key)
        JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = k.key
    ) THEN
        RETURN QUERY SELECT 0::bigint, ''::bytea, 0::bigint;
        RETURN;
    END IF;
    RETURN QUERY SELECT k.place, i.value, i.version FROM unnest(p_key) WITH ORDINALITY AS k (key, place)
        JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = k.key;
END
$$;

-- The entries of pages, each with the number of its page, from 1, in their order. A row without a key says that its page
-- ended before its range did.
CREATE FUNCTION SCHEMA.scan(
    p_organization bigint, p_start bytea[], p_end bytea[], p_reverse boolean[], p_skip bigint[], p_limit bigint[],
    p_page_bytes bigint, p_bytes bigint
) RETURNS TABLE (page int, key bytea, value bytea, version bigint)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_sort = off SET enable_bitmapscan = off
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
    v_left bigint := p_bytes;
    v_budget bigint;
    v_entries bigint;
    v_size bigint;
    v_rows CURSOR (p_from bytea, p_to bytea, p_most bigint, p_over bigint) FOR
        SELECT i.key, i.value, i.version FROM SCHEMA.item i
        WHERE i.organization = p_organization AND i.key >= p_from AND i.key < p_to
        ORDER BY i.key LIMIT p_most OFFSET p_over;
    v_back CURSOR (p_from bytea, p_to bytea, p_most bigint, p_over bigint) FOR
        SELECT i.key, i.value, i.version FROM SCHEMA.item i
        WHERE i.organization = p_organization AND i.key >= p_from AND i.key < p_to
        ORDER BY i.key DESC LIMIT p_most OFFSET p_over;
    v_open refcursor;
BEGIN
    FOR v_page IN 1..cardinality(p_start) LOOP
        CONTINUE WHEN p_start[v_page] >= p_end[v_page];
        page := v_page;
        v_entries := p_limit[v_page];
        v_budget := least(p_page_bytes, v_left);
        IF p_reverse[v_page] THEN
            OPEN v_back (p_start[v_page], p_end[v_page], v_entries + 1, p_skip[v_page]);
            v_open := v_back;
        ELSE
            OPEN v_rows (p_start[v_page], p_end[v_page], v_entries + 1, p_skip[v_page]);
            v_open := v_rows;
        END IF;
        LOOP
            FETCH v_open INTO key, value, version;
            EXIT WHEN NOT FOUND;
            v_size := octet_length(key) + octet_length(value);
            IF v_entries = 0 OR v_size > v_budget THEN
                key := NULL;
                value := NULL;
                version := NULL;
                RETURN NEXT;
                EXIT;
            END IF;
            v_entries := v_entries - 1;
            v_budget := v_budget - v_size;
            v_left := v_left - v_size;
            RETURN NEXT;
        END LOOP;
        CLOSE v_open;
    END LOOP;
END
$$;

CREATE FUNCTION SCHEMA.count_items(p_organization bigint, p_start bytea, p_end bytea) RETURNS bigint
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
    RETURN (SELECT count(*) FROM SCHEMA.item i
        WHERE i.organization = p_organization AND i.key >= p_start AND i.key < p_end);
END
$$;

-- Makes the changes of several transactions of an organization, one after the other, each if what it requires holds.
-- All that can be refused is refused before a transaction's first change, so that none has to be undone.
--
-- The transactions' parts lie one behind the other in arrays, and *_end says how many belong to the transactions up to each.
-- r_version: the version that the key must have; -1 if it must have a value, -2 if it must have none.
-- a_*: a counter, what is added (a decimal integer), between which values it must be before, and whether the sum is kept.
-- Then ranges are deleted, then keys, and at last values and sums are put.
--
-- state: 0 done, 1 the organization was deleted, 2 a later number was done before, 3 there is no such organization.
-- outcomes: 0 done, 1 a requirement, 2 a limit, 3 not an integer; keys has the key of each that was refused.
-- The versions are version + 1, version + 2 and so on.
CREATE FUNCTION SCHEMA.commit_group(
    p_organization bigint, p_host bigint, p_number bigint, p_wake bigint[],
    r_end int[], r_key bytea[], r_version bigint[],
    a_end int[], a_key bytea[], a_delta text[], a_low bigint[], a_high bigint[], a_keep boolean[],
    d_end int[], d_start bytea[], d_stop bytea[],
    x_end int[], x_key bytea[],
    w_end int[], w_key bytea[], w_value bytea[],
    OUT state smallint, OUT version bigint, OUT outcomes smallint[], OUT keys bytea[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
SET enable_memoize = off SET plan_cache_mode = force_generic_plan SET jit = off SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
    v_jobs int := cardinality(p_wake);
    v_version bigint;
    v_due bigint;
    v_wake bigint;
    v_first int;
    v_last int;
    v_key bytea;
    v_refused smallint;
    v_keys bytea[];
    v_values bytea[];
    v_sum_keys bytea[];
    v_sums bytea[];
    v_done boolean := false;
    v_receipt SCHEMA.receipt;
BEGIN
    UPDATE SCHEMA.organization o SET version = o.version + v_jobs WHERE o.id = p_organization AND NOT o.deleted
        RETURNING o.version - v_jobs, o.wake_at INTO v_version, v_due;
    IF NOT FOUND THEN
        state := CASE WHEN EXISTS (SELECT FROM SCHEMA.organization o WHERE o.id = p_organization) THEN 1 ELSE 3 END;
        RETURN;
    END IF;
    SELECT * INTO v_receipt FROM SCHEMA.receipt c WHERE c.organization = p_organization AND c.host = p_host;
    IF v_receipt.number >= p_number THEN
        state := CASE WHEN v_receipt.number = p_number THEN 0 ELSE 2 END;
        version := v_receipt.version;
        outcomes := v_receipt.outcomes;
        keys := v_receipt.keys;
        RETURN;
    END IF;
    -- A commit is durable when it returns, whatever is usual in this database.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    FOR v_job IN 1..v_jobs LOOP
        v_key := NULL;
        v_refused := 0;
        v_first := coalesce(r_end[v_job - 1], 0);
        IF v_first < r_end[v_job] THEN
            SELECT r.key, 1 INTO v_key, v_refused
            FROM unnest(r_key[v_first + 1:r_end[v_job]], r_version[v_first + 1:r_end[v_job]]) WITH ORDINALITY AS r (key, wanted, place)
            LEFT JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = r.key
            WHERE CASE r.wanted WHEN -1 THEN i.version IS NULL WHEN -2 THEN i.version IS NOT NULL
                ELSE i.version IS DISTINCT FROM r.wanted END
            ORDER BY r.place LIMIT 1;
        END IF;
        v_sum_keys := NULL;
        v_first := coalesce(a_end[v_job - 1], 0);
        IF v_key IS NULL AND v_first < a_end[v_job] THEN
            v_last := a_end[v_job];
            SELECT (array_agg(s.key ORDER BY s.place) FILTER (WHERE s.before IS NULL OR NOT s.before BETWEEN s.low AND s.high))[1],
                (array_agg(CASE WHEN s.before IS NULL THEN 3 ELSE 2 END ORDER BY s.place)
                    FILTER (WHERE s.before IS NULL OR NOT s.before BETWEEN s.low AND s.high))[1],
                array_agg(s.key ORDER BY s.place) FILTER (WHERE s.keep),
                array_agg(convert_to((s.before + s.delta::numeric)::text, 'UTF8') ORDER BY s.place) FILTER (WHERE s.keep)
            INTO v_key, v_refused, v_sum_keys, v_sums
            FROM (
                SELECT a.*, CASE WHEN i.value IS NULL THEN 0 ELSE SCHEMA.integer_of(i.value) END AS before
                FROM unnest(a_key[v_first + 1:v_last], a_delta[v_first + 1:v_last], a_low[v_first + 1:v_last],
                    a_high[v_first + 1:v_last], a_keep[v_first + 1:v_last]) WITH ORDINALITY AS a (key, delta, low, high, keep, place)
                LEFT JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = a.key
            ) s;
        END IF;
        outcomes[v_job] := CASE WHEN v_key IS NULL THEN 0 ELSE v_refused END;
        keys[v_job] := v_key;
        CONTINUE WHEN v_key IS NOT NULL;

        v_done := true;
        v_wake := least(v_wake, p_wake[v_job]);
        FOR v_range IN coalesce(d_end[v_job - 1], 0) + 1..d_end[v_job] LOOP
            DELETE FROM SCHEMA.item i
            WHERE i.organization = p_organization AND i.key >= d_start[v_range] AND i.key < d_stop[v_range];
        END LOOP;
        v_first := coalesce(x_end[v_job - 1], 0);
        IF v_first < x_end[v_job] THEN
            DELETE FROM SCHEMA.item i
            WHERE i.organization = p_organization AND i.key = ANY (x_key[v_first + 1:x_end[v_job]]);
        END IF;
        v_first := coalesce(w_end[v_job - 1], 0) + 1;
        v_keys := w_key[v_first:w_end[v_job]];
        v_values := w_value[v_first:w_end[v_job]];
        IF v_sum_keys IS NOT NULL THEN
            v_keys := v_keys || v_sum_keys;
            v_values := v_values || v_sums;
        END IF;
        IF cardinality(v_keys) > 0 THEN
            INSERT INTO SCHEMA.item (organization, key, value, version)
            SELECT p_organization, w.key, w.value, v_version + v_job FROM unnest(v_keys, v_values) AS w (key, value)
            ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version;
        END IF;
    END LOOP;
    IF v_wake < v_due OR (v_due IS NULL AND v_wake IS NOT NULL) THEN
        UPDATE SCHEMA.organization o SET wake_at = v_wake WHERE o.id = p_organization;
    END IF;
    state := 0;
    version := v_version;
    IF v_done THEN
        INSERT INTO SCHEMA.receipt (organization, host, number, version, outcomes, keys, at)
        VALUES (p_organization, p_host, p_number, v_version, outcomes, keys, now())
        ON CONFLICT (organization, host) DO UPDATE SET number = excluded.number, version = excluded.version,
            outcomes = excluded.outcomes, keys = excluded.keys, at = excluded.at;
    END IF;
END
$$;

-- The 64-bit integer that the value is in ASCII digits; NULL if it is none.
CREATE FUNCTION SCHEMA.integer_of(p_value bytea) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    v_text text;
    v_number numeric;
BEGIN
    IF octet_length(p_value) > 64 THEN
        RETURN NULL;
    END IF;
    v_text := encode(p_value, 'escape');
    IF v_text !~ '^-?[0-9]+$' THEN
        RETURN NULL;
    END IF;
    v_number := v_text::numeric;
    RETURN CASE WHEN v_number BETWEEN -9223372036854775808 AND 9223372036854775807 THEN v_number END;
END
$$;

-- Marks an organization as deleted, and removes at most p_rows of its items; returns how many it has removed.
CREATE FUNCTION SCHEMA.delete_items(p_organization bigint, p_rows bigint) RETURNS bigint
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
SET jit = off SET lock_timeout = '5s' AS $$
DECLARE
    v_keys bytea[];
BEGIN
    UPDATE SCHEMA.organization o SET deleted = true, wake_at = NULL, claim = NULL, claimed_until = NULL
        WHERE o.id = p_organization AND NOT o.deleted;
    v_keys := ARRAY(SELECT i.key FROM SCHEMA.item i WHERE i.organization = p_organization ORDER BY i.key LIMIT p_rows);
    IF cardinality(v_keys) = 0 THEN
        DELETE FROM SCHEMA.receipt c WHERE c.organization = p_organization;
        RETURN 0;
    END IF;
    DELETE FROM SCHEMA.item i WHERE i.organization = p_organization AND i.key = ANY (v_keys);
    RETURN cardinality(v_keys);
END
$$;
