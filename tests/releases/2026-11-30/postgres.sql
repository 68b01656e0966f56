SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA insomnia_scim;
CREATE FUNCTION insomnia_scim.commit_group(p_organization bigint, p_host bigint, p_number bigint, p_wake bigint[], r_end integer[], r_key bytea[], r_version bigint[], a_end integer[], a_key bytea[], a_delta text[], a_low bigint[], a_high bigint[], a_keep boolean[], d_end integer[], d_start bytea[], d_stop bytea[], x_end integer[], x_key bytea[], w_end integer[], w_key bytea[], w_value bytea[], OUT state smallint, OUT version bigint, OUT outcomes smallint[], OUT keys bytea[]) RETURNS record
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET enable_memoize TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    SET lock_timeout TO '5s'
    AS $$
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
    v_receipt "insomnia_scim".receipt;
BEGIN
    UPDATE "insomnia_scim".organization o SET version = o.version + v_jobs WHERE o.id = p_organization AND NOT o.deleted
        RETURNING o.version - v_jobs, o.wake_at INTO v_version, v_due;
    IF NOT FOUND THEN
        state := CASE WHEN EXISTS (SELECT FROM "insomnia_scim".organization o WHERE o.id = p_organization) THEN 1 ELSE 3 END;
        RETURN;
    END IF;
    SELECT * INTO v_receipt FROM "insomnia_scim".receipt c WHERE c.organization = p_organization AND c.host = p_host;
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
            LEFT JOIN "insomnia_scim".item i ON i.organization = p_organization AND i.key = r.key
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
                SELECT a.*, CASE WHEN i.value IS NULL THEN 0 ELSE "insomnia_scim".integer_of(i.value) END AS before
                FROM unnest(a_key[v_first + 1:v_last], a_delta[v_first + 1:v_last], a_low[v_first + 1:v_last],
                    a_high[v_first + 1:v_last], a_keep[v_first + 1:v_last]) WITH ORDINALITY AS a (key, delta, low, high, keep, place)
                LEFT JOIN "insomnia_scim".item i ON i.organization = p_organization AND i.key = a.key
            ) s;
        END IF;
        outcomes[v_job] := CASE WHEN v_key IS NULL THEN 0 ELSE v_refused END;
        keys[v_job] := v_key;
        CONTINUE WHEN v_key IS NOT NULL;
        v_done := true;
        v_wake := least(v_wake, p_wake[v_job]);
        FOR v_range IN coalesce(d_end[v_job - 1], 0) + 1..d_end[v_job] LOOP
            DELETE FROM "insomnia_scim".item i
            WHERE i.organization = p_organization AND i.key >= d_start[v_range] AND i.key < d_stop[v_range];
        END LOOP;
        v_first := coalesce(x_end[v_job - 1], 0);
        IF v_first < x_end[v_job] THEN
            DELETE FROM "insomnia_scim".item i
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
            INSERT INTO "insomnia_scim".item (organization, key, value, version)
            SELECT p_organization, w.key, w.value, v_version + v_job FROM unnest(v_keys, v_values) AS w (key, value)
            ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version;
        END IF;
    END LOOP;
    IF v_wake < v_due OR (v_due IS NULL AND v_wake IS NOT NULL) THEN
        UPDATE "insomnia_scim".organization o SET wake_at = v_wake WHERE o.id = p_organization;
    END IF;
    state := 0;
    version := v_version;
    IF v_done THEN
        INSERT INTO "insomnia_scim".receipt (organization, host, number, version, outcomes, keys, at)
        VALUES (p_organization, p_host, p_number, v_version, outcomes, keys, now())
        ON CONFLICT (organization, host) DO UPDATE SET number = excluded.number, version = excluded.version,
            outcomes = excluded.outcomes, keys = excluded.keys, at = excluded.at;
    END IF;
END
$$;
CREATE FUNCTION insomnia_scim.count_items(p_organization bigint, p_start bytea, p_end bytea) RETURNS bigint
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
BEGIN
    RETURN (SELECT count(*) FROM "insomnia_scim".item i
        WHERE i.organization = p_organization AND i.key >= p_start AND i.key < p_end);
END
$$;
CREATE FUNCTION insomnia_scim.delete_items(p_organization bigint, p_rows bigint) RETURNS bigint
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    SET lock_timeout TO '5s'
    AS $$
DECLARE
    v_keys bytea[];
BEGIN
    UPDATE "insomnia_scim".organization o SET deleted = true, wake_at = NULL, claim = NULL, claimed_until = NULL
        WHERE o.id = p_organization AND NOT o.deleted;
    v_keys := ARRAY(SELECT i.key FROM "insomnia_scim".item i WHERE i.organization = p_organization ORDER BY i.key LIMIT p_rows);
    IF cardinality(v_keys) = 0 THEN
        DELETE FROM "insomnia_scim".receipt c WHERE c.organization = p_organization;
        RETURN 0;
    END IF;
    DELETE FROM "insomnia_scim".item i WHERE i.organization = p_organization AND i.key = ANY (v_keys);
    RETURN cardinality(v_keys);
END
$$;
CREATE FUNCTION insomnia_scim.document(p_value bytea) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $$
BEGIN
    RETURN convert_from(p_value, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;
CREATE FUNCTION insomnia_scim.elements(p_value jsonb) RETURNS SETOF jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT e FROM jsonb_array_elements(CASE jsonb_typeof(p_value) WHEN 'array' THEN p_value ELSE '[]' END) AS e
$$;
CREATE FUNCTION insomnia_scim.get(p_organization bigint, p_key bytea[], p_most bigint) RETURNS TABLE(place bigint, value bytea, version bigint)
    LANGUAGE plpgsql STABLE PARALLEL SAFE
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_material TO 'off'
    SET enable_memoize TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
BEGIN
    -- So many of the largest values are no more than p_most.
    IF cardinality(p_key) > p_most >> 20 AND p_most < (
        SELECT sum(octet_length(i.value)) FROM unnest(p_key) AS k (key)
        JOIN "insomnia_scim".item i ON i.organization = p_organization AND i.key = k.key
    ) THEN
        RETURN QUERY SELECT 0::bigint, ''::bytea, 0::bigint;
        RETURN;
    END IF;
    RETURN QUERY SELECT k.place, i.value, i.version FROM unnest(p_key) WITH ORDINALITY AS k (key, place)
        JOIN "insomnia_scim".item i ON i.organization = p_organization AND i.key = k.key;
END
$$;
CREATE FUNCTION insomnia_scim.integer_of(p_value bytea) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    AS $_$
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
$_$;
CREATE FUNCTION insomnia_scim.key_text(p_key bytea) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT convert_from(p_key, 'UTF8') $$;
CREATE FUNCTION insomnia_scim.moment(p_milliseconds text) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT 'epoch'::timestamptz + p_milliseconds::bigint * interval '1 millisecond'
$$;
CREATE FUNCTION insomnia_scim.number_organization(p_name text, p_generation bigint, p_id bigint) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Versions go on where those before with the same name ended.
    INSERT INTO "insomnia_scim".organization (id, name, generation, version)
    SELECT p_id, p_name, p_generation, coalesce(max(o.version), 0) FROM "insomnia_scim".organization o WHERE o.name = p_name
    ON CONFLICT DO NOTHING;
    RETURN (SELECT o.id FROM "insomnia_scim".organization o WHERE o.name = p_name AND o.generation = p_generation);
END
$$;
CREATE FUNCTION insomnia_scim.scan(p_organization bigint, p_start bytea[], p_end bytea[], p_reverse boolean[], p_skip bigint[], p_limit bigint[], p_page_bytes bigint, p_bytes bigint) RETURNS TABLE(page integer, key bytea, value bytea, version bigint)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan TO 'off'
    SET enable_sort TO 'off'
    SET enable_bitmapscan TO 'off'
    SET plan_cache_mode TO 'force_generic_plan'
    SET jit TO 'off'
    AS $$
DECLARE
    v_left bigint := p_bytes;
    v_budget bigint;
    v_entries bigint;
    v_size bigint;
    v_rows CURSOR (p_from bytea, p_to bytea, p_most bigint, p_over bigint) FOR
        SELECT i.key, i.value, i.version FROM "insomnia_scim".item i
        WHERE i.organization = p_organization AND i.key >= p_from AND i.key < p_to
        ORDER BY i.key LIMIT p_most OFFSET p_over;
    v_back CURSOR (p_from bytea, p_to bytea, p_most bigint, p_over bigint) FOR
        SELECT i.key, i.value, i.version FROM "insomnia_scim".item i
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
SET default_tablespace = '';
CREATE TABLE insomnia_scim.item (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
PARTITION BY HASH (organization);
SET default_table_access_method = heap;
CREATE TABLE insomnia_scim.organization (
    id bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    generation bigint NOT NULL,
    deleted boolean DEFAULT false NOT NULL,
    version bigint NOT NULL,
    wake_at bigint,
    claim bigint,
    claimed_until bigint
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05');
CREATE VIEW insomnia_scim.internal_items AS
 SELECT o.name AS organization,
    i.key,
    i.value
   FROM (insomnia_scim.organization o
     JOIN insomnia_scim.item i ON ((i.organization = o.id)))
  WHERE ((NOT o.deleted) AND (o.name !~~ '\_%'::text));
CREATE VIEW insomnia_scim.connectors AS
 SELECT c.organization,
    COALESCE(((c.d ->> 'enabled'::text))::boolean, false) AS enabled,
    (c.d ->> 'identityProvider'::text) AS identity_provider,
    ((c.d #>> '{token,generation}'::text[]))::integer AS token_generation,
    insomnia_scim.moment((c.d #>> '{token,created}'::text[])) AS token_created,
    insomnia_scim.moment((c.d #>> '{token,expires}'::text[])) AS token_expires,
    ( SELECT insomnia_scim.moment((insomnia_scim.integer_of(u.value))::text) AS moment
           FROM insomnia_scim.internal_items u
          WHERE ((u.organization = c.organization) AND (u.key = 'connector-used'::bytea))) AS last_used
   FROM ( SELECT i.organization,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE (i.key = 'connector'::bytea)) c;
CREATE TABLE insomnia_scim.item_0 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_1 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_2 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_3 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_4 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_5 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_6 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE TABLE insomnia_scim.item_7 (
    organization bigint NOT NULL,
    key bytea NOT NULL,
    value bytea NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_analyze_scale_factor='0.05');
CREATE VIEW insomnia_scim.organizations AS
 SELECT o.organization AS id,
    (o.d ->> 'name'::text) AS name,
    (o.d ->> 'plan'::text) AS plan,
    ((o.d ->> 'seats'::text))::bigint AS seats,
    (o.d ->> 'singleSignOn'::text) AS single_sign_on,
    (o.d -> 'domains'::text) AS domains,
    (o.d -> 'options'::text) AS options,
    COALESCE(( SELECT ((insomnia_scim.document(s.value) ->> 'retention'::text))::integer AS int4
           FROM insomnia_scim.internal_items s
          WHERE ((s.organization = o.organization) AND (s.key = 'settings'::bytea))), 90) AS retention_days
   FROM ( SELECT i.organization,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE (i.key = 'organization'::bytea)) o;
CREATE VIEW insomnia_scim.licences AS
 SELECT l.organization,
    l.seats,
    (l.taken - l.scim) AS manual,
    l.scim,
    l.taken
   FROM ( SELECT o.id AS organization,
            o.seats,
            (COALESCE(max(insomnia_scim.integer_of(c.value)) FILTER (WHERE (c.key = 'count/seats'::bytea)), (0)::numeric))::bigint AS taken,
            (COALESCE(max(insomnia_scim.integer_of(c.value)) FILTER (WHERE (c.key = 'count/seats-scim'::bytea)), (0)::numeric))::bigint AS scim
           FROM (insomnia_scim.organizations o
             LEFT JOIN insomnia_scim.internal_items c ON (((c.organization = o.id) AND (c.key = ANY (ARRAY['count/seats'::bytea, 'count/seats-scim'::bytea])))))
          GROUP BY o.id, o.seats) l;
CREATE VIEW insomnia_scim.log AS
 SELECT l.organization,
    insomnia_scim.moment((l.d ->> 'time'::text)) AS "time",
    (l.d ->> 'requestId'::text) AS request_id,
    (l.d ->> 'method'::text) AS method,
    (l.d ->> 'path'::text) AS path,
    ((l.d ->> 'status'::text))::integer AS status,
    (l.d ->> 'scimType'::text) AS scim_type,
    (l.d ->> 'detail'::text) AS detail,
    ((l.d ->> 'duration'::text))::bigint AS duration_ms,
    (l.d #>> '{subject,resourceType}'::text[]) AS subject_type,
    (l.d #>> '{subject,id}'::text[]) AS subject_id,
    (l.d #>> '{subject,name}'::text[]) AS subject_name,
    (l.d ->> 'action'::text) AS action,
    (l.d -> 'because'::text) AS because,
    (l.d ->> 'senderAddress'::text) AS sender_address,
    (l.d ->> 'userAgent'::text) AS user_agent
   FROM ( SELECT i.organization,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE ((i.key >= 'log/'::bytea) AND (i.key < 'log0'::bytea))) l;
CREATE VIEW insomnia_scim.members AS
 SELECT m.organization,
    substr(insomnia_scim.key_text(m.key), 6) AS id,
    (m.u ->> 'userName'::text) AS user_name,
    COALESCE((m.u ->> 'displayName'::text), (m.u #>> '{name,formatted}'::text[]), NULLIF(concat_ws(' '::text, (m.u #>> '{name,givenName}'::text[]), (m.u #>> '{name,familyName}'::text[])), ''::text), (m.u ->> 'userName'::text)) AS display_name,
    COALESCE(( SELECT (e.e ->> 'value'::text)
           FROM insomnia_scim.elements((m.u -> 'emails'::text)) e(e)
          WHERE ((e.e ->> 'value'::text) <> ''::text)
          ORDER BY ((e.e ->> 'primary'::text) = 'true'::text) DESC NULLS LAST, ((e.e ->> 'type'::text) = 'work'::text) DESC NULLS LAST
         LIMIT 1),
        CASE
            WHEN ((m.u ->> 'userName'::text) ~~ '%@%'::text) THEN (m.u ->> 'userName'::text)
            ELSE NULL::text
        END) AS email,
    (m.u ->> 'externalId'::text) AS external_id,
    (m.d ->> 'role'::text) AS role,
    (m.d ->> 'origin'::text) AS origin,
    COALESCE(((m.u ->> 'active'::text))::boolean, true) AS active,
    insomnia_scim.moment((m.d ->> 'created'::text)) AS created,
    insomnia_scim.moment((m.d ->> 'modified'::text)) AS modified
   FROM ( SELECT r.organization,
            r.key,
            r.d,
            (r.d -> 'document'::text) AS u
           FROM ( SELECT i.organization,
                    i.key,
                    j.d
                   FROM (insomnia_scim.internal_items i
                     CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                         OFFSET 0) j)
                  WHERE ((i.key >= 'user/'::bytea) AND (i.key < 'user0'::bytea))) r) m;
CREATE VIEW insomnia_scim.memberships AS
 SELECT i.organization,
    substr(insomnia_scim.key_text(i.key), 13, 36) AS team,
    substr(insomnia_scim.key_text(i.key), 50, 36) AS member
   FROM insomnia_scim.internal_items i
  WHERE ((i.key >= 'team-member/'::bytea) AND (i.key < 'team-member0'::bytea));
CREATE VIEW insomnia_scim.outbox AS
 SELECT e.organization,
    (e.d ->> 'id'::text) AS id,
    (e.d #>> '{letter,kind}'::text[]) AS kind,
    (e.d ->> 'to'::text) AS recipient,
    e.is_parked,
    insomnia_scim.moment((e.d ->> 'created'::text)) AS created,
        CASE
            WHEN (NOT e.is_parked) THEN insomnia_scim.moment((((('x'::text || substr(insomnia_scim.key_text(e.key), 8, 16)))::bit(64))::bigint)::text)
            ELSE NULL::timestamp with time zone
        END AS due,
    ((e.d ->> 'attempts'::text))::bigint AS attempts,
    (e.d ->> 'error'::text) AS error
   FROM ( SELECT i.organization,
            i.key,
            ((i.key >= 'outbox-parked/'::bytea) AND (i.key < 'outbox-parked0'::bytea)) AS is_parked,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE (((i.key >= 'outbox/'::bytea) AND (i.key < 'outbox0'::bytea)) OR ((i.key >= 'outbox-parked/'::bytea) AND (i.key < 'outbox-parked0'::bytea)))) e;
CREATE TABLE insomnia_scim.receipt (
    organization bigint NOT NULL,
    host bigint NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    outcomes smallint[] NOT NULL,
    keys bytea[] NOT NULL,
    at timestamp with time zone NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.05');
CREATE TABLE insomnia_scim.schema_version (
    version integer NOT NULL
);
CREATE VIEW insomnia_scim.teams AS
 SELECT t.organization,
    t.id,
    (t.d #>> '{document,displayName}'::text[]) AS display_name,
    (t.d ->> 'origin'::text) AS origin,
    COALESCE(( SELECT (insomnia_scim.integer_of(c.value))::bigint AS integer_of
           FROM insomnia_scim.internal_items c
          WHERE ((c.organization = t.organization) AND (c.key = convert_to(('count/team/'::text || t.id), 'UTF8'::name)))), (0)::bigint) AS members,
    insomnia_scim.moment((t.d ->> 'created'::text)) AS created,
    insomnia_scim.moment((t.d ->> 'modified'::text)) AS modified
   FROM ( SELECT i.organization,
            substr(insomnia_scim.key_text(i.key), 6) AS id,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE ((i.key >= 'team/'::bytea) AND (i.key < 'team0'::bytea))) t;
CREATE VIEW insomnia_scim.webhooks AS
 SELECT w.organization,
    regexp_replace("substring"((w.d ->> 'url'::text), '^[a-z]+://[^/?#\\]*'::text), '//.*@'::text, '//'::text) AS address,
    insomnia_scim.moment((w.d ->> 'created'::text)) AS created,
    insomnia_scim.moment((w.d ->> 'worksSince'::text)) AS works_since,
    insomnia_scim.moment((w.d ->> 'failingSince'::text)) AS failing_since,
    (w.d ->> 'error'::text) AS error,
    ( SELECT count(*) AS count
           FROM insomnia_scim.internal_items q
          WHERE ((q.organization = w.organization) AND (q.key >= 'event-due/webhook/'::bytea) AND (q.key < 'event-due/webhook0'::bytea))) AS waiting,
    ( SELECT count(*) AS count
           FROM insomnia_scim.internal_items q
          WHERE ((q.organization = w.organization) AND (q.key >= 'event-parked/'::bytea) AND (q.key < 'event-parked0'::bytea))) AS parked
   FROM ( SELECT i.organization,
            j.d
           FROM (insomnia_scim.internal_items i
             CROSS JOIN LATERAL ( SELECT insomnia_scim.document(i.value) AS d
                 OFFSET 0) j)
          WHERE (i.key = 'webhook'::bytea)) w;
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_0 FOR VALUES WITH (modulus 8, remainder 0);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_1 FOR VALUES WITH (modulus 8, remainder 1);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_2 FOR VALUES WITH (modulus 8, remainder 2);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_3 FOR VALUES WITH (modulus 8, remainder 3);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_4 FOR VALUES WITH (modulus 8, remainder 4);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_5 FOR VALUES WITH (modulus 8, remainder 5);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_6 FOR VALUES WITH (modulus 8, remainder 6);
ALTER TABLE ONLY insomnia_scim.item ATTACH PARTITION insomnia_scim.item_7 FOR VALUES WITH (modulus 8, remainder 7);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'alert/turn', '{"wake_at":1796025802419,"until":null,"number":1,"looked":1796025502419,"took":1}', 16);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'note/base-url', 'http://127.0.0.1:35227', 2);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'note/demo', '{"organization":"demo","owner":"owner@demo.example"}', 12);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'note/http-permit', '[]', 3);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'note/instance', '{"id":"8bca07c2cd9056a23c4308d1c73270b2","key":"ed217854a2f408c38521ff911e31bda7"}', 1);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'organization/demo', '{"created":1796025502344,"generation":0}', 10);
INSERT INTO insomnia_scim.item_2 VALUES (1503395845207440121, 'ready', '\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000\000', 13);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'administrator/01a22b76-4a90-7e07-a237-bb2e7e983be1', '', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'audit/000001a22b764a8b01a22b76-4a8b-7000-a7d3-13ee121454e6', '{"id":"01a22b76-4a8b-7000-a7d3-13ee121454e6","time":"2026-11-30T07:58:22.347Z","act":"organization.change","by":{"type":"operator"},"face":"command-line","subject":{"type":"organization"},"after":{"name":"Demo","plan":"enterprise","seats":1000000,"domains":[{"name":"demo.example","verified":true}],"singleSignOn":"okta","options":{"list-manual":false,"verified-domains-only":false,"email-required":false,"allow-overage":false,"passphrase-emails":true,"strict":false,"refuse-unknown-members":false,"reactivate-on-post":false,"bare-token":false,"basic-authentication":false,"discovery-aliases":false,"group-patch-no-content":false}}}', 5);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'audit/000001a22b764a9001a22b76-4a90-7001-a349-775bef8a2f1a', '{"id":"01a22b76-4a90-7001-a349-775bef8a2f1a","time":"2026-11-30T07:58:22.352Z","act":"member.add","by":{"type":"operator"},"face":"command-line","subject":{"type":"member","id":"01a22b76-4a90-7e07-a237-bb2e7e983be1","name":"owner@demo.example"},"after":{"email":"owner@demo.example","role":"owner"}}', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'audit/000001a22b764ac801a22b76-4ac8-7001-a7b6-e2432e4916b1', '{"id":"01a22b76-4ac8-7001-a7b6-e2432e4916b1","time":"2026-11-30T07:58:22.408Z","act":"connector.enable","by":{"type":"member","id":"owner@demo.example"},"face":"backend","subject":{"type":"connector"},"before":{"enabled":false,"identityProvider":null,"window":null,"token":null},"after":{"enabled":true,"identityProvider":"okta","window":"180d","token":{"generation":1,"expires":1811577502408}}}', 11);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'audit/000001a22b764cd901a22b76-4cd9-7001-bdda-486b0ed48571', '{"id":"01a22b76-4cd9-7001-bdda-486b0ed48571","time":"2026-11-30T07:58:22.937Z","act":"token.refresh","by":{"type":"operator"},"face":"command-line","subject":{"type":"connector"},"before":{"token":{"generation":1,"expires":1811577502408},"window":"180d"},"after":{"token":{"generation":2,"expires":null},"window":"never"}}', 4097);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'connector', '{"enabled":true,"identityProvider":"okta","window":"never","token":{"sha256":"a74d42af87e8da517a3b3aceeca0d922fa114b24876fa260c403c52e9dfef576","generation":2,"created":1796025502937},"previous":{"sha256":"3714dbd92c34671d8b786cfbd0a5bc47796ed86e266b0c20e3570a647b756ffe","generation":1,"created":1796025502408,"expires":0},"enabledGeneration":1}', 4097);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'connector-used', '1796025502990', 8193);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/owners', '1', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/seats', '3', 8224);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/seats-scim', '2', 8224);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/team/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '2', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/teams', '1', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/teams-listed', '1', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/users', '4', 8224);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'count/users-listed', '3', 8224);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764a9001a22b76-4a90-7000-a0fd-93d6e2c52c1b', '{"id":"01a22b76-4a90-7000-a0fd-93d6e2c52c1b","type":"member.created","time":"2026-11-30T07:58:22.352Z","subject":{"type":"member","id":"01a22b76-4a90-7e07-a237-bb2e7e983be1","name":"Demo Owner"},"actor":"admin","cause":{},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4a90-7e07-a237-bb2e7e983be1","userName":"owner@demo.example","displayName":"Demo Owner","emails":[{"value":"owner@demo.example","type":"work","primary":true}],"active":true,"origin":"manual","role":"owner"}}}', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764ac801a22b76-4ac8-7000-82b7-e49bcac9a022', '{"id":"01a22b76-4ac8-7000-82b7-e49bcac9a022","type":"connector.enabled","time":"2026-11-30T07:58:22.408Z","subject":{"type":"connector"},"actor":"admin","cause":{"credential":"member owner@demo.example"},"data":{"identityProvider":"okta"}}', 11);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764cd901a22b76-4cd9-7000-9669-80b9c2951cb8', '{"id":"01a22b76-4cd9-7000-9669-80b9c2951cb8","type":"token.refreshed","time":"2026-11-30T07:58:22.937Z","subject":{"type":"token","id":"2"},"actor":"admin","cause":{},"data":{"expires":null}}', 4097);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764d0e01a22b76-4d0e-7000-ad90-150475170da9', '{"id":"01a22b76-4d0e-7000-ad90-150475170da9","type":"member.created","time":"2026-11-30T07:58:22.990Z","subject":{"type":"member","id":"01a22b76-4d0e-7601-ab9d-33663625d97a","name":"Ada Old"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000000","credential":"token 2"},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4d0e-7601-ab9d-33663625d97a","userName":"ada@demo.example","externalId":"ext-ada","displayName":"Ada Old","emails":[{"value":"ada@demo.example","primary":true},{"value":"ada.second@demo.example","type":"home"}],"active":true,"origin":"scim","role":"member"}}}', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764dac01a22b76-4dac-7000-be2d-29dc649f09f1', '{"id":"01a22b76-4dac-7000-be2d-29dc649f09f1","type":"member.created","time":"2026-11-30T07:58:23.148Z","subject":{"type":"member","id":"01a22b76-4dac-71a1-bab7-96a0dd3edb34","name":"Bea Old"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000001","credential":"token 2"},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4dac-71a1-bab7-96a0dd3edb34","userName":"bea@demo.example","externalId":"ext-bea","displayName":"Bea Old","emails":[{"value":"bea@demo.example","primary":true},{"value":"bea.second@demo.example","type":"home"}],"active":true,"origin":"scim","role":"member"}}}', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764e6401a22b76-4e64-7000-92cc-f129ff54199e', '{"id":"01a22b76-4e64-7000-92cc-f129ff54199e","type":"member.created","time":"2026-11-30T07:58:23.332Z","subject":{"type":"member","id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","name":"Cem Old"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000002","credential":"token 2"},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","userName":"cem@demo.example","externalId":"ext-cem","displayName":"Cem Old","emails":[{"value":"cem@demo.example","primary":true},{"value":"cem.second@demo.example","type":"home"}],"active":true,"origin":"scim","role":"member"}}}', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764f2401a22b76-4f24-7000-ba68-f3ef7dcb676c', '{"id":"01a22b76-4f24-7000-ba68-f3ef7dcb676c","type":"team.created","time":"2026-11-30T07:58:23.524Z","subject":{"type":"team","id":"01a22b76-4f24-7cf4-af08-4777a82e2c9d","name":"Crew"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000003","credential":"token 2"},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"01a22b76-4f24-7cf4-af08-4777a82e2c9d","displayName":"Crew","externalId":"ext-crew","origin":"scim"}}}', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764f2401a22b76-4f24-7001-b626-90b417950e52', '{"id":"01a22b76-4f24-7001-b626-90b417950e52","type":"team.membership-changed","time":"2026-11-30T07:58:23.524Z","subject":{"type":"team","id":"01a22b76-4f24-7cf4-af08-4777a82e2c9d","name":"Crew"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000003","credential":"token 2"},"data":{"added":["01a22b76-4d0e-7601-ab9d-33663625d97a","01a22b76-4dac-71a1-bab7-96a0dd3edb34"],"addedCount":2,"removed":[],"removedCount":0}}', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764f3301a22b76-4f33-7000-9b52-ddb6c183d0fd', '{"id":"01a22b76-4f33-7000-9b52-ddb6c183d0fd","type":"member.updated","time":"2026-11-30T07:58:23.539Z","subject":{"type":"member","id":"01a22b76-4d0e-7601-ab9d-33663625d97a","name":"Ada New"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000004","credential":"token 2"},"data":{"before":{"displayName":"Ada Old"},"after":{"displayName":"Ada New"}}}', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764f4401a22b76-4f44-7000-a933-3d13b3f0a1ec', '{"id":"01a22b76-4f44-7000-a933-3d13b3f0a1ec","type":"member.deactivated","time":"2026-11-30T07:58:23.556Z","subject":{"type":"member","id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","name":"Cem Old"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000005","credential":"token 2"},"data":{"before":{"active":true},"after":{"active":false}}}', 8216);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b764f5201a22b76-4f52-7000-a8ac-d149f831358b', '{"id":"01a22b76-4f52-7000-a8ac-d149f831358b","type":"member.created","time":"2026-11-30T07:58:23.570Z","subject":{"type":"member","id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","name":"gone@demo.example"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000006","credential":"token 2"},"data":{"after":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","userName":"gone@demo.example","active":true,"origin":"scim","role":"member"}}}', 8218);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'event/000001a22b76502201a22b76-5022-7000-894f-38dce9e83b5b', '{"id":"01a22b76-5022-7000-894f-38dce9e83b5b","type":"member.deleted","time":"2026-11-30T07:58:23.778Z","subject":{"type":"member","id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","name":"gone@demo.example"},"actor":"scim","cause":{"requestId":"51f0b1574d423bec000007","credential":"token 2"},"data":{"before":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","userName":"gone@demo.example","active":true,"origin":"scim","role":"member"}}}', 8224);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'job/retention', '1796025502376', 8);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'lease/email', '{"until":0,"failures":0,"held":false,"ends":0}', 8223);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764d0e51f0b1574d423bec000000-b273c48b', '{"time":1796025502990,"requestId":"51f0b1574d423bec000000","method":"POST","path":"/Users","status":201,"duration":2,"subject":{"resourceType":"User","id":"01a22b76-4d0e-7601-ab9d-33663625d97a","name":"Ada Old"},"action":"created","because":["matched nobody by userName or emails","seat 2 of 1000000","the initial passphrase is mailed","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:schemas:core:2.0:User\\"], \\"userName\\": \\"ada@demo.example\\", \\"externalId\\": \\"ext-ada\\", \\"displayName\\": \\"Ada Old\\",\\n        \\"emails\\": [{\\"value\\": \\"ada@demo.example\\", \\"primary\\": true}, {\\"value\\": \\"ada.second@demo.example\\", \\"type\\": \\"home\\"}]}","bytesReceived":264,"bytesSent":523,"component":"0.1.0 (built-in@54678c8d5223)"}', 8195);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764dac51f0b1574d423bec000001-24a23d13', '{"time":1796025503148,"requestId":"51f0b1574d423bec000001","method":"POST","path":"/Users","status":201,"duration":12,"subject":{"resourceType":"User","id":"01a22b76-4dac-71a1-bab7-96a0dd3edb34","name":"Bea Old"},"action":"created","because":["matched nobody by userName or emails","seat 3 of 1000000","the initial passphrase is mailed","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:schemas:core:2.0:User\\"], \\"userName\\": \\"bea@demo.example\\", \\"externalId\\": \\"ext-bea\\", \\"displayName\\": \\"Bea Old\\",\\n        \\"emails\\": [{\\"value\\": \\"bea@demo.example\\", \\"primary\\": true}, {\\"value\\": \\"bea.second@demo.example\\", \\"type\\": \\"home\\"}]}","bytesReceived":264,"bytesSent":523,"component":"0.1.0 (built-in@54678c8d5223)"}', 8201);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764e6451f0b1574d423bec000002-c38b4f94', '{"time":1796025503332,"requestId":"51f0b1574d423bec000002","method":"POST","path":"/Users","status":201,"duration":3,"subject":{"resourceType":"User","id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","name":"Cem Old"},"action":"created","because":["matched nobody by userName or emails","seat 4 of 1000000","the initial passphrase is mailed","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:schemas:core:2.0:User\\"], \\"userName\\": \\"cem@demo.example\\", \\"externalId\\": \\"ext-cem\\", \\"displayName\\": \\"Cem Old\\",\\n        \\"emails\\": [{\\"value\\": \\"cem@demo.example\\", \\"primary\\": true}, {\\"value\\": \\"cem.second@demo.example\\", \\"type\\": \\"home\\"}]}","bytesReceived":264,"bytesSent":523,"component":"0.1.0 (built-in@54678c8d5223)"}', 8207);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764f2451f0b1574d423bec000003-2095560b', '{"time":1796025503524,"requestId":"51f0b1574d423bec000003","method":"POST","path":"/Groups","status":201,"duration":1,"subject":{"resourceType":"Group","id":"01a22b76-4f24-7cf4-af08-4777a82e2c9d","name":"Crew"},"action":"created","because":["matched no team by displayName","members added: 2","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:schemas:core:2.0:Group\\"], \\"displayName\\": \\"Crew\\", \\"externalId\\": \\"ext-crew\\", \\"members\\": [{\\"value\\": \\"01a22b76-4d0e-7601-ab9d-33663625d97a\\"}, {\\"value\\": \\"01a22b76-4dac-71a1-bab7-96a0dd3edb34\\"}]}","bytesReceived":224,"bytesSent":729,"component":"0.1.0 (built-in@54678c8d5223)"}', 8213);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764f3351f0b1574d423bec000004-b55e7210', '{"time":1796025503539,"requestId":"51f0b1574d423bec000004","method":"PATCH","path":"/Users/01a22b76-4d0e-7601-ab9d-33663625d97a","status":200,"duration":2,"subject":{"resourceType":"User","id":"01a22b76-4d0e-7601-ab9d-33663625d97a","name":"Ada New"},"action":"updated","because":["addressed by id","changed: displayName","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:api:messages:2.0:PatchOp\\"], \\"Operations\\": [{\\"op\\": \\"replace\\", \\"path\\": \\"displayName\\", \\"value\\": \\"Ada New\\"}]}","bytesReceived":140,"bytesSent":705,"component":"0.1.0 (built-in@54678c8d5223)"}', 8215);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764f4451f0b1574d423bec000005-0c924745', '{"time":1796025503556,"requestId":"51f0b1574d423bec000005","method":"PATCH","path":"/Users/01a22b76-4e64-7b34-af8f-4715c7f4bca5","status":200,"duration":1,"subject":{"resourceType":"User","id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","name":"Cem Old"},"action":"deactivated","because":["addressed by id","changed: active","seat freed: 3 of 1000000 are taken","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:api:messages:2.0:PatchOp\\"], \\"Operations\\": [{\\"op\\": \\"replace\\", \\"path\\": \\"active\\", \\"value\\": false}]}","bytesReceived":131,"bytesSent":524,"component":"0.1.0 (built-in@54678c8d5223)"}', 8217);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b764f5251f0b1574d423bec000006-3ce25a24', '{"time":1796025503570,"requestId":"51f0b1574d423bec000006","method":"POST","path":"/Users","status":201,"duration":2,"subject":{"resourceType":"User","id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","name":"gone@demo.example"},"action":"created","because":["matched nobody by userName or emails","seat 4 of 1000000","the initial passphrase is mailed","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","body":"{\\"schemas\\": [\\"urn:ietf:params:scim:schemas:core:2.0:User\\"], \\"userName\\": \\"gone@demo.example\\"}","bytesReceived":92,"bytesSent":372,"component":"0.1.0 (built-in@54678c8d5223)"}', 8219);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'log/000001a22b76502251f0b1574d423bec000007-fbc61e15', '{"time":1796025503778,"requestId":"51f0b1574d423bec000007","method":"DELETE","path":"/Users/01a22b76-4f52-7739-8b0b-bb00b7b62b2c","status":204,"duration":7,"subject":{"resourceType":"User","id":"01a22b76-4f52-7739-8b0b-bb00b7b62b2c","name":"gone@demo.example"},"action":"deleted","because":["addressed by id","seat freed: 3 of 1000000 are taken","caller: bearer token 2"],"tokenGeneration":2,"userAgent":"curl/7.88.1","senderAddress":"127.0.0.1","bytesReceived":0,"bytesSent":0,"component":"0.1.0 (built-in@54678c8d5223)"}', 8225);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'member-team/01a22b76-4d0e-7601-ab9d-33663625d97a/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'member-team/01a22b76-4dac-71a1-bab7-96a0dd3edb34/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'oauth-swept', '1796025502374', 7);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'organization', '{"name":"Demo","plan":"enterprise","seats":1000000,"domains":[{"name":"demo.example","verified":true}],"singleSignOn":"okta","options":{"listManual":false,"verifiedDomainsOnly":false,"emailRequired":false,"allowOverage":false,"passphraseEmails":true,"strict":false,"refuseUnknownMembers":false,"reactivateOnPost":false,"bareToken":false,"basicAuthentication":false,"discoveryAliases":false,"groupPatchNoContent":false},"census":{}}', 5);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-external/ext-crew\00001a22b76-4f24-7cf4-af08-4777a82e2c9d', '', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-listed/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-member/01a22b76-4f24-7cf4-af08-4777a82e2c9d/01a22b76-4d0e-7601-ab9d-33663625d97a', '"Ada New"', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-member/01a22b76-4f24-7cf4-af08-4777a82e2c9d/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '"Bea Old"', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-name/crew', '01a22b76-4f24-7cf4-af08-4777a82e2c9d', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team-touch/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '1796025503539', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'team/01a22b76-4f24-7cf4-af08-4777a82e2c9d', '{"origin":"scim","created":1796025503524,"modified":1796025503524,"document":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"01a22b76-4f24-7cf4-af08-4777a82e2c9d","displayName":"Crew","externalId":"ext-crew"}}', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-card/01a22b76-4a90-7e07-a237-bb2e7e983be1', '"Demo Owner"', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-card/01a22b76-4d0e-7601-ab9d-33663625d97a', '"Ada New"', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-card/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '"Bea Old"', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-card/01a22b76-4e64-7b34-af8f-4715c7f4bca5', '"Cem Old"', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-display/ada new\00001a22b76-4d0e-7601-ab9d-33663625d97a', '', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-display/bea old\00001a22b76-4dac-71a1-bab7-96a0dd3edb34', '', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-display/cem old\00001a22b76-4e64-7b34-af8f-4715c7f4bca5', '', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-display/demo owner\00001a22b76-4a90-7e07-a237-bb2e7e983be1', '', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-email/ada@demo.example', '01a22b76-4d0e-7601-ab9d-33663625d97a', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-email/bea@demo.example', '01a22b76-4dac-71a1-bab7-96a0dd3edb34', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-email/cem@demo.example', '01a22b76-4e64-7b34-af8f-4715c7f4bca5', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-email/owner@demo.example', '01a22b76-4a90-7e07-a237-bb2e7e983be1', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-external/ext-ada\00001a22b76-4d0e-7601-ab9d-33663625d97a', '', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-external/ext-bea\00001a22b76-4dac-71a1-bab7-96a0dd3edb34', '', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-external/ext-cem\00001a22b76-4e64-7b34-af8f-4715c7f4bca5', '', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-listed/01a22b76-4d0e-7601-ab9d-33663625d97a', '', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-listed/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-listed/01a22b76-4e64-7b34-af8f-4715c7f4bca5', '', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/ada.second@demo.example\00001a22b76-4d0e-7601-ab9d-33663625d97a', '', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/ada@demo.example\00001a22b76-4d0e-7601-ab9d-33663625d97a', '', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/bea.second@demo.example\00001a22b76-4dac-71a1-bab7-96a0dd3edb34', '', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/bea@demo.example\00001a22b76-4dac-71a1-bab7-96a0dd3edb34', '', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/cem.second@demo.example\00001a22b76-4e64-7b34-af8f-4715c7f4bca5', '', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/cem@demo.example\00001a22b76-4e64-7b34-af8f-4715c7f4bca5', '', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-mail/owner@demo.example\00001a22b76-4a90-7e07-a237-bb2e7e983be1', '', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-name/ada@demo.example', '01a22b76-4d0e-7601-ab9d-33663625d97a', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-name/bea@demo.example', '01a22b76-4dac-71a1-bab7-96a0dd3edb34', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-name/cem@demo.example', '01a22b76-4e64-7b34-af8f-4715c7f4bca5', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-name/owner@demo.example', '01a22b76-4a90-7e07-a237-bb2e7e983be1', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-passphrase/01a22b76-4a90-7e07-a237-bb2e7e983be1', '{"scheme":"argon2id","salt":"df62995c7cbca8a03b59ab7faeed208a","hash":"ca397a4e954410fc1cd9f951793ce66694973d1801c615e8b45d6ea8d99a0310","mustChange":true,"signIn":{"count":0,"last":0,"waitUntil":0},"confirmation":{"count":0,"last":0,"waitUntil":0}}', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-passphrase/01a22b76-4d0e-7601-ab9d-33663625d97a', '{"scheme":"sha256","salt":"ead7a33c202b05d545d6868dbb631439","hash":"da1e90cce4222e5d5e84036fee96f0bc00c9bb320c33bb3865ddc9e729643873","mustChange":true,"signIn":{"count":0,"last":0,"waitUntil":0},"confirmation":{"count":0,"last":0,"waitUntil":0}}', 8194);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-passphrase/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '{"scheme":"sha256","salt":"4fc9b5a2ccae2fa408febd401884296d","hash":"195682432640dc8c6e42f2f97e977207783a6d818d33e3bcaeed8071e0440df1","mustChange":true,"signIn":{"count":0,"last":0,"waitUntil":0},"confirmation":{"count":0,"last":0,"waitUntil":0}}', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-passphrase/01a22b76-4e64-7b34-af8f-4715c7f4bca5', '{"scheme":"sha256","salt":"c3989dea6d477bfac50959e1d15489bc","hash":"5d3d0cacfa9e7c9dfc49c8e721ac5d5f3620bad4571b43521b406ba8d4dd53e2","mustChange":true,"signIn":{"count":0,"last":0,"waitUntil":0},"confirmation":{"count":0,"last":0,"waitUntil":0}}', 8206);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-touch/01a22b76-4d0e-7601-ab9d-33663625d97a', '1796025503524', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user-touch/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '1796025503524', 8212);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user/01a22b76-4a90-7e07-a237-bb2e7e983be1', '{"origin":"manual","role":"owner","created":1796025502352,"modified":1796025502352,"document":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4a90-7e07-a237-bb2e7e983be1","userName":"owner@demo.example","displayName":"Demo Owner","emails":[{"value":"owner@demo.example","type":"work","primary":true}],"active":true}}', 9);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user/01a22b76-4d0e-7601-ab9d-33663625d97a', '{"origin":"scim","role":"member","created":1796025502990,"modified":1796025503539,"document":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4d0e-7601-ab9d-33663625d97a","userName":"ada@demo.example","externalId":"ext-ada","displayName":"Ada New","emails":[{"value":"ada@demo.example","primary":true},{"value":"ada.second@demo.example","type":"home"}],"active":true}}', 8214);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user/01a22b76-4dac-71a1-bab7-96a0dd3edb34', '{"origin":"scim","role":"member","created":1796025503148,"modified":1796025503148,"document":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4dac-71a1-bab7-96a0dd3edb34","userName":"bea@demo.example","externalId":"ext-bea","displayName":"Bea Old","emails":[{"value":"bea@demo.example","primary":true},{"value":"bea.second@demo.example","type":"home"}],"active":true}}', 8200);
INSERT INTO insomnia_scim.item_3 VALUES (2770315546235000280, 'user/01a22b76-4e64-7b34-af8f-4715c7f4bca5', '{"origin":"scim","role":"member","created":1796025503332,"modified":1796025503556,"document":{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"01a22b76-4e64-7b34-af8f-4715c7f4bca5","userName":"cem@demo.example","externalId":"ext-cem","displayName":"Cem Old","emails":[{"value":"cem@demo.example","primary":true},{"value":"cem.second@demo.example","type":"home"}],"active":false}}', 8216);
INSERT INTO insomnia_scim.organization VALUES (2770315546235000280, 'demo', 0, false, 12288, 1796047103584, NULL, NULL);
INSERT INTO insomnia_scim.organization VALUES (1503395845207440121, '_host', 0, false, 12288, NULL, NULL, NULL);
INSERT INTO insomnia_scim.schema_version VALUES (2);
ALTER TABLE ONLY insomnia_scim.item
    ADD CONSTRAINT item_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_0
    ADD CONSTRAINT item_0_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_1
    ADD CONSTRAINT item_1_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_2
    ADD CONSTRAINT item_2_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_3
    ADD CONSTRAINT item_3_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_4
    ADD CONSTRAINT item_4_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_5
    ADD CONSTRAINT item_5_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_6
    ADD CONSTRAINT item_6_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.item_7
    ADD CONSTRAINT item_7_pkey PRIMARY KEY (organization, key);
ALTER TABLE ONLY insomnia_scim.organization
    ADD CONSTRAINT organization_name_generation_key UNIQUE (name, generation);
ALTER TABLE ONLY insomnia_scim.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);
ALTER TABLE ONLY insomnia_scim.receipt
    ADD CONSTRAINT receipt_pkey PRIMARY KEY (organization, host);
CREATE INDEX organization_claimed ON insomnia_scim.organization USING btree (claimed_until) WHERE (claim IS NOT NULL);
CREATE INDEX organization_waiting ON insomnia_scim.organization USING btree (wake_at) WHERE ((claim IS NULL) AND (wake_at IS NOT NULL));
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_0_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_1_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_2_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_3_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_4_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_5_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_6_pkey;
ALTER INDEX insomnia_scim.item_pkey ATTACH PARTITION insomnia_scim.item_7_pkey;
