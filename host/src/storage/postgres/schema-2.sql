-- Version 2: views for operators. SCHEMA stands for the name of the schema.
--
-- They show what is stored and nothing secret: no hash of a token or a passphrase, no sealed secret, no attribute that an
-- organization's own schemas never return, and of a webhook's address only the host. Whoever may read the views needs no right on
-- the tables. A later version may add columns and views; one that changes or takes away says so in the changelog.

-- The JSON document in a value; NULL if it is none, or has what jsonb can't hold (the character NUL).
CREATE FUNCTION SCHEMA.document(p_value bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN convert_from(p_value, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;

-- Milliseconds since the Unix epoch as a time.
CREATE FUNCTION SCHEMA.moment(p_milliseconds text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 'epoch'::timestamptz + p_milliseconds::bigint * interval '1 millisecond'
$$;

-- The elements of a multi-valued attribute; none if it is no array.
CREATE FUNCTION SCHEMA.elements(p_value jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT e FROM jsonb_array_elements(CASE jsonb_typeof(p_value) WHEN 'array' THEN p_value ELSE '[]' END) AS e
$$;

-- A key as text: all keys of an organization are.
CREATE FUNCTION SCHEMA.key_text(p_key bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT convert_from(p_key, 'UTF8') $$;

-- Each view reads a document once: OFFSET 0 keeps PostgreSQL from putting the function in the place of each use of its result.

-- The items of organizations that are there, by the organization's name; not those of the host itself. It is there for the views
-- below alone: it holds secrets as they are stored.
CREATE VIEW SCHEMA.internal_items AS
SELECT o.name AS organization, i.key, i.value
FROM SCHEMA.organization o JOIN SCHEMA.item i ON i.organization = o.id
WHERE NOT o.deleted AND o.name NOT LIKE '\_%';

CREATE VIEW SCHEMA.organizations AS
SELECT o.organization AS id, o.d ->> 'name' AS name, o.d ->> 'plan' AS plan, (o.d ->> 'seats')::bigint AS seats,
    o.d ->> 'singleSignOn' AS single_sign_on, o.d -> 'domains' AS domains, o.d -> 'options' AS options,
    coalesce((SELECT (SCHEMA.document(s.value) ->> 'retention')::int FROM SCHEMA.internal_items s
        WHERE s.organization = o.organization AND s.key = 'settings'), 90) AS retention_days
FROM (SELECT i.organization, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j WHERE i.key = 'organization') o;

CREATE VIEW SCHEMA.members AS
SELECT m.organization, substr(SCHEMA.key_text(m.key), 6) AS id, m.u ->> 'userName' AS user_name,
    coalesce(m.u ->> 'displayName', m.u #>> '{name,formatted}',
        nullif(concat_ws(' ', m.u #>> '{name,givenName}', m.u #>> '{name,familyName}'), ''), m.u ->> 'userName') AS display_name,
    coalesce(
        (SELECT e ->> 'value' FROM SCHEMA.elements(m.u -> 'emails') AS e WHERE e ->> 'value' <> ''
            ORDER BY (e ->> 'primary' = 'true') DESC NULLS LAST, (e ->> 'type' = 'work') DESC NULLS LAST LIMIT 1),
        CASE WHEN m.u ->> 'userName' LIKE '%@%' THEN m.u ->> 'userName' END) AS email,
    m.u ->> 'externalId' AS external_id, m.d ->> 'role' AS role, m.d ->> 'origin' AS origin,
    coalesce((m.u ->> 'active')::boolean, true) AS active,
    SCHEMA.moment(m.d ->> 'created') AS created, SCHEMA.moment(m.d ->> 'modified') AS modified
FROM (
    SELECT r.organization, r.key, r.d, r.d -> 'document' AS u
    FROM (SELECT i.organization, i.key, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j
        WHERE i.key >= 'user/' AND i.key < 'user0') r
) m;

CREATE VIEW SCHEMA.teams AS
SELECT t.organization, t.id, t.d #>> '{document,displayName}' AS display_name, t.d ->> 'origin' AS origin,
    coalesce((SELECT SCHEMA.integer_of(c.value)::bigint FROM SCHEMA.internal_items c
        WHERE c.organization = t.organization AND c.key = convert_to('count/team/' || t.id, 'UTF8')), 0) AS members,
    SCHEMA.moment(t.d ->> 'created') AS created, SCHEMA.moment(t.d ->> 'modified') AS modified
FROM (SELECT i.organization, substr(SCHEMA.key_text(i.key), 6) AS id, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j
    WHERE i.key >= 'team/' AND i.key < 'team0') t;

CREATE VIEW SCHEMA.memberships AS
SELECT i.organization, substr(SCHEMA.key_text(i.key), 13, 36) AS team, substr(SCHEMA.key_text(i.key), 50, 36) AS member
FROM SCHEMA.internal_items i WHERE i.key >= 'team-member/' AND i.key < 'team-member0';

-- Seats, and who takes them.
CREATE VIEW SCHEMA.licences AS
SELECT l.organization, l.seats, l.taken - l.scim AS manual, l.scim, l.taken
FROM (
    SELECT o.id AS organization, o.seats,
        coalesce(max(SCHEMA.integer_of(c.value)) FILTER (WHERE c.key = 'count/seats'), 0)::bigint AS taken,
        coalesce(max(SCHEMA.integer_of(c.value)) FILTER (WHERE c.key = 'count/seats-scim'), 0)::bigint AS scim
    FROM SCHEMA.organizations o
    LEFT JOIN SCHEMA.internal_items c ON c.organization = o.id AND c.key IN ('count/seats', 'count/seats-scim')
    GROUP BY o.id, o.seats
) l;

CREATE VIEW SCHEMA.connectors AS
SELECT c.organization, coalesce((c.d ->> 'enabled')::boolean, false) AS enabled, c.d ->> 'identityProvider' AS identity_provider,
    (c.d #>> '{token,generation}')::int AS token_generation, SCHEMA.moment(c.d #>> '{token,created}') AS token_created,
    SCHEMA.moment(c.d #>> '{token,expires}') AS token_expires,
    (SELECT SCHEMA.moment(SCHEMA.integer_of(u.value)::text) FROM SCHEMA.internal_items u
        WHERE u.organization = c.organization AND u.key = 'connector-used') AS last_used
FROM (SELECT i.organization, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j WHERE i.key = 'connector') c;

-- The log of SCIM requests, without their bodies.
CREATE VIEW SCHEMA.log AS
SELECT l.organization, SCHEMA.moment(l.d ->> 'time') AS time, l.d ->> 'requestId' AS request_id, l.d ->> 'method' AS method,
    l.d ->> 'path' AS path, (l.d ->> 'status')::int AS status, l.d ->> 'scimType' AS scim_type, l.d ->> 'detail' AS detail,
    (l.d ->> 'duration')::bigint AS duration_ms, l.d #>> '{subject,resourceType}' AS subject_type,
    l.d #>> '{subject,id}' AS subject_id, l.d #>> '{subject,name}' AS subject_name, l.d ->> 'action' AS action,
    l.d -> 'because' AS because, l.d ->> 'senderAddress' AS sender_address, l.d ->> 'userAgent' AS user_agent
FROM (SELECT i.organization, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j WHERE i.key >= 'log/' AND i.key < 'log0') l;

-- Emails that wait, or are parked since they could not be sent; not what they say.
CREATE VIEW SCHEMA.outbox AS
SELECT e.organization, e.d ->> 'id' AS id, e.d #>> '{letter,kind}' AS kind, e.d ->> 'to' AS recipient, e.is_parked,
    SCHEMA.moment(e.d ->> 'created') AS created,
    CASE WHEN NOT e.is_parked THEN
        SCHEMA.moment((('x' || substr(SCHEMA.key_text(e.key), 8, 16))::bit(64)::bigint)::text)
    END AS due,
    (e.d ->> 'attempts')::bigint AS attempts, e.d ->> 'error' AS error
FROM (
    SELECT i.organization, i.key, i.key >= 'outbox-parked/' AND i.key < 'outbox-parked0' AS is_parked, j.d
    FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j
    WHERE (i.key >= 'outbox/' AND i.key < 'outbox0') OR (i.key >= 'outbox-parked/' AND i.key < 'outbox-parked0')
) e;

CREATE VIEW SCHEMA.webhooks AS
SELECT w.organization,
    regexp_replace(substring(w.d ->> 'url' FROM '^[a-z]+://[^/?#\\]*'), '//.*@', '//') AS address,
    SCHEMA.moment(w.d ->> 'created') AS created, SCHEMA.moment(w.d ->> 'worksSince') AS works_since,
    SCHEMA.moment(w.d ->> 'failingSince') AS failing_since, w.d ->> 'error' AS error,
    (SELECT count(*) FROM SCHEMA.internal_items q WHERE q.organization = w.organization
        AND q.key >= 'event-due/webhook/' AND q.key < 'event-due/webhook0') AS waiting,
    (SELECT count(*) FROM SCHEMA.internal_items q WHERE q.organization = w.organization
        AND q.key >= 'event-parked/' AND q.key < 'event-parked0') AS parked
FROM (SELECT i.organization, j.d FROM SCHEMA.internal_items i CROSS JOIN LATERAL (SELECT SCHEMA.document(i.value) AS d OFFSET 0) j WHERE i.key = 'webhook') w;
