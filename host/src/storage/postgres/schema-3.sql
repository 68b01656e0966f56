-- Version 3: reads and commits that cost the database less. SCHEMA stands for the name of the schema.
--
-- What version 1 has for the same purpose stays: hosts of the release before this one call it as long as they run.

-- Plans are made while the tables are new and small, when reading an organization as a whole seems to cost no more than looking
-- its keys up one by one. So the statements leave no choice: an outer join begins with the keys.

-- The items at the keys: each the place of its key, from 1, and its version, in eight bytes each, and then its value; NULL for
-- an absent one. NULL instead of all says that there are more than p_most bytes.
CREATE FUNCTION SCHEMA.get_items(p_organization bigint, p_key bytea[], p_most bigint) RETURNS bytea[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
SET enable_memoize = off SET plan_cache_mode = force_generic_plan SET jit = off AS $$
BEGIN
    -- So many of the largest values are no more than p_most.
    IF cardinality(p_key) > p_most >> 20 THEN
        IF p_most < (
            SELECT sum(octet_length(i.value)) FROM unnest(p_key) AS k (key)
            LEFT JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = k.key
        ) THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN ARRAY(
        SELECT int8send(k.place) || int8send(i.version) || i.value FROM unnest(p_key) WITH ORDINALITY AS k (key, place)
        LEFT JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = k.key
    );
END
$$;

-- Makes the changes of several transactions of an organization if what each requires holds, and otherwise none of them. What
-- they do together was worked out before: it is looked at once, and each key is written once.
--
-- c_*: what must hold. A requirement has the version that the key must have; -1 if it must have a value, -2 if it must have
-- none. A counter has what is added (a decimal integer), between which values it must be before, and which of the transactions,
-- from 1, has added last; NULL if the sum is not kept. Requirements come first, and of both the first that does not hold
-- is the one that is told.
-- Then ranges are deleted, then keys (x_key), and at last values (w_*, with the transaction that has put it) and sums are put.
--
-- state: 0 done, or the only transaction was refused; 1 the organization was deleted; 2 a later number was done before;
-- 3 there is no such organization; 4 one of several transactions would be refused, and nothing was done.
-- outcomes: none if all is done; else of the only transaction: 1 a requirement, 2 a limit, 3 not an integer, and its key in keys.
-- The versions are version + 1, version + 2 and so on.
CREATE FUNCTION SCHEMA.commit_all(
    p_organization bigint, p_host bigint, p_number bigint, p_transactions int, p_wake bigint,
    c_key bytea[], c_version bigint[], c_delta text[], c_low bigint[], c_high bigint[], c_last int[],
    d_start bytea[], d_stop bytea[], x_key bytea[], w_key bytea[], w_value bytea[], w_last int[],
    OUT state smallint, OUT version bigint, OUT outcomes smallint[], OUT keys bytea[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off
SET enable_memoize = off SET plan_cache_mode = force_generic_plan SET jit = off SET lock_timeout = '5s' AS $$
#variable_conflict use_column
DECLARE
    v_version bigint;
    v_due bigint;
    v_receipt SCHEMA.receipt;
    v_key bytea;
    v_refused bigint;
    v_no_integer bigint;
    v_sum_keys bytea[];
    v_sums bytea[];
    v_sum_last int[];
BEGIN
    UPDATE SCHEMA.organization o SET version = o.version + p_transactions WHERE o.id = p_organization AND NOT o.deleted
        RETURNING o.version - p_transactions, o.wake_at INTO v_version, v_due;
    IF NOT FOUND THEN
        state := CASE WHEN EXISTS (SELECT FROM SCHEMA.organization o WHERE o.id = p_organization) THEN 1 ELSE 3 END;
        RETURN;
    END IF;
    -- Whatever comes of it: another try of this number, also one that was on its way for long, does nothing more.
    UPDATE SCHEMA.receipt c SET number = p_number, version = v_version, outcomes = '{}', keys = '{}', at = now()
        WHERE c.organization = p_organization AND c.host = p_host AND c.number < p_number;
    IF NOT FOUND THEN
        SELECT * INTO v_receipt FROM SCHEMA.receipt c WHERE c.organization = p_organization AND c.host = p_host;
        IF FOUND THEN
            state := CASE WHEN v_receipt.number > p_number THEN 2 WHEN v_receipt.outcomes = '{4}' THEN 4 ELSE 0 END;
            version := v_receipt.version;
            outcomes := v_receipt.outcomes;
            keys := v_receipt.keys;
            RETURN;
        END IF;
        INSERT INTO SCHEMA.receipt (organization, host, number, version, outcomes, keys, at)
        VALUES (p_organization, p_host, p_number, v_version, '{}', '{}', now());
    END IF;
    -- A commit is durable when it returns, whatever is usual in this database.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    IF cardinality(c_key) > 0 THEN
        -- OFFSET 0 keeps PostgreSQL from reading a counter's value once for each use of it.
        SELECT min(s.place) FILTER (WHERE NOT s.holds), min(s.place) FILTER (WHERE s.delta IS NOT NULL AND s.before IS NULL),
            array_agg(s.key) FILTER (WHERE s.last IS NOT NULL),
            array_agg(convert_to((s.before + s.delta::numeric)::text, 'UTF8')) FILTER (WHERE s.last IS NOT NULL),
            array_agg(s.last) FILTER (WHERE s.last IS NOT NULL)
        INTO v_refused, v_no_integer, v_sum_keys, v_sums, v_sum_last
        FROM (
            SELECT b.*, CASE
                WHEN b.delta IS NOT NULL THEN coalesce(b.before BETWEEN b.low AND b.high, false)
                WHEN b.wanted = -1 THEN b.found IS NOT NULL
                WHEN b.wanted = -2 THEN b.found IS NULL
                ELSE b.found IS NOT DISTINCT FROM b.wanted END AS holds
            FROM (
                SELECT c.*, i.version AS found, CASE
                    WHEN c.delta IS NULL THEN NULL
                    WHEN i.value IS NULL THEN 0
                    ELSE SCHEMA.integer_of(i.value) END AS before
                FROM unnest(c_key, c_version, c_delta, c_low, c_high, c_last) WITH ORDINALITY
                    AS c (key, wanted, delta, low, high, last, place)
                LEFT JOIN SCHEMA.item i ON i.organization = p_organization AND i.key = c.key
                OFFSET 0
            ) b
        ) s;
        IF v_refused IS NOT NULL THEN
            IF p_transactions > 1 THEN
                state := 4;
                outcomes := '{4}';
                keys := '{}';
            ELSE
                state := 0;
                outcomes := ARRAY[CASE WHEN c_delta[v_refused] IS NULL THEN 1 WHEN v_refused = v_no_integer THEN 3 ELSE 2 END];
                keys := ARRAY[c_key[v_refused]];
            END IF;
            version := v_version;
            UPDATE SCHEMA.receipt c SET outcomes = commit_all.outcomes, keys = commit_all.keys
                WHERE c.organization = p_organization AND c.host = p_host;
            RETURN;
        END IF;
    END IF;
    FOR v_range IN 1..cardinality(d_start) LOOP
        DELETE FROM SCHEMA.item i
        WHERE i.organization = p_organization AND i.key >= d_start[v_range] AND i.key < d_stop[v_range];
    END LOOP;
    IF cardinality(x_key) > 64 THEN
        DELETE FROM SCHEMA.item i WHERE i.organization = p_organization AND i.key = ANY (x_key);
    ELSE
        FOREACH v_key IN ARRAY x_key LOOP
            DELETE FROM SCHEMA.item i WHERE i.organization = p_organization AND i.key = v_key;
        END LOOP;
    END IF;
    IF cardinality(w_key) > 0 OR v_sum_keys IS NOT NULL THEN
        INSERT INTO SCHEMA.item (organization, key, value, version)
        SELECT p_organization, w.key, w.value, v_version + w.last FROM (
            SELECT p.key, p.value, p.last FROM unnest(w_key, w_value, w_last) AS p (key, value, last)
            UNION ALL
            SELECT s.key, s.value, s.last FROM unnest(v_sum_keys, v_sums, v_sum_last) AS s (key, value, last)
        ) w
        ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version;
    END IF;
    IF p_wake < v_due OR (v_due IS NULL AND p_wake IS NOT NULL) THEN
        UPDATE SCHEMA.organization o SET wake_at = p_wake WHERE o.id = p_organization;
    END IF;
    state := 0;
    version := v_version;
    outcomes := '{}';
    keys := '{}';
END
$$;

-- A group of which every transaction is refused leaves its number behind too. Otherwise a first try whose connection broke, and
-- which comes to its turn after the second was refused, might still do what its caller was told had not been done. And keys
-- are deleted one by one, for the reason above.
DO $$
DECLARE
    v_before text := pg_get_functiondef('SCHEMA.commit_group'::regproc);
    v_numbered text := replace(v_before, 'IF v_done THEN', 'IF true THEN');
    v_after text := replace(v_numbered,
        'DELETE FROM SCHEMA.item i
            WHERE i.organization = p_organization AND i.key = ANY (x_key[v_first + 1:x_end[v_job]]);',
        'FOREACH v_key IN ARRAY x_key[v_first + 1:x_end[v_job]] LOOP
                DELETE FROM SCHEMA.item i WHERE i.organization = p_organization AND i.key = v_key;
            END LOOP;');
BEGIN
    IF v_numbered = v_before OR v_after = v_numbered THEN
        RAISE EXCEPTION 'the function commit_group is not that of version 1: it was changed by others, and what it lacks can not be added';
    END IF;
    EXECUTE v_after;
END
$$;
