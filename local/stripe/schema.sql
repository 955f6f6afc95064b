-- Everything Stripe remembers. `sequence` is the order of creation, which a timestamp in whole
-- seconds cannot tell; lists are paged by it.
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,               -- the connected account it belongs to; '': the platform
    object TEXT NOT NULL,
    body TEXT NOT NULL,                  -- JSON, as the API shows it
    private TEXT NOT NULL DEFAULT '{}'   -- JSON, what Stripe knows and does not show
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (account, object, sequence);
CREATE INDEX IF NOT EXISTS objects_by_charge
    ON objects (account, object, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS objects_by_customer
    ON objects (account, object, json_extract(body, '$.customer'));
CREATE INDEX IF NOT EXISTS objects_by_destination
    ON objects (account, object, json_extract(body, '$.destination'));
CREATE INDEX IF NOT EXISTS objects_by_payment_intent
    ON objects (account, object, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_by_source
    ON objects (account, object, json_extract(body, '$.source'));
CREATE INDEX IF NOT EXISTS objects_by_source_transaction
    ON objects (account, object, json_extract(body, '$.source_transaction'));
CREATE INDEX IF NOT EXISTS objects_by_transfer
    ON objects (account, object, json_extract(body, '$.transfer'));
CREATE INDEX IF NOT EXISTS objects_by_transfer_group
    ON objects (account, object, json_extract(body, '$.transfer_group'));

-- What balance transactions add up to, so that nobody has to add them up.
CREATE TABLE IF NOT EXISTS funds (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    available_on INTEGER NOT NULL,       -- seconds since 1970; 0: was available when it was booked
    net INTEGER NOT NULL,
    PRIMARY KEY (account, currency, available_on)
) WITHOUT ROWID;

-- How far this Stripe's time is ahead of everybody else's.
CREATE TABLE IF NOT EXISTS clock (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    ahead_seconds INTEGER NOT NULL
);

-- How the payouts of an account end that are made from now on: paid, failed or held.
CREATE TABLE IF NOT EXISTS payout_outcomes (
    account TEXT PRIMARY KEY,
    outcome TEXT NOT NULL
);

-- Where a connected account's holder answers Stripe's questions.
CREATE TABLE IF NOT EXISTS account_links (
    secret TEXT PRIMARY KEY,             -- the last part of the address
    account TEXT NOT NULL,
    refresh_url TEXT NOT NULL,
    return_url TEXT NOT NULL,
    expires_at INTEGER NOT NULL,         -- seconds since 1970
    opened INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS idempotency_keys (
    owner TEXT NOT NULL,                 -- digest of the API key and the account it acts for
    key TEXT NOT NULL,
    path TEXT NOT NULL,
    fingerprint TEXT NOT NULL,           -- digest of the parameters
    request_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL,            -- seconds since 1970
    PRIMARY KEY (owner, key)
);

CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,             -- seconds since 1970
    action TEXT NOT NULL,
    object_id TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS timers_by_time ON timers (due_at);

CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL,
    type TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    copy INTEGER NOT NULL,               -- 1, and more where duplicates were asked for
    state TEXT NOT NULL DEFAULT 'owed',  -- owed, delivered, abandoned or dropped
    rank INTEGER,                        -- who goes first among those that are due; null: by id
    created REAL NOT NULL,               -- seconds since 1970
    due_at REAL NOT NULL,                -- seconds since 1970
    attempts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, endpoint, due_at);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);

CREATE TABLE IF NOT EXISTS delivery_attempts (
    delivery INTEGER NOT NULL REFERENCES deliveries (id),
    number INTEGER NOT NULL,
    at REAL NOT NULL,                    -- seconds since 1970
    status_code INTEGER,
    error TEXT,
    duration_ms REAL NOT NULL,
    PRIMARY KEY (delivery, number)
);

CREATE TABLE IF NOT EXISTS delivery_behaviour (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    behaviour TEXT NOT NULL              -- JSON, see deliveries.Behaviour
);
