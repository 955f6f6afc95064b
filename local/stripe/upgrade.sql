-- Brings a file up to date that is from before objects belonged to accounts. `schema.sql` does the
-- rest, and makes the indexes anew.
BEGIN;
DROP INDEX objects_by_kind;
DROP INDEX objects_by_charge;
DROP INDEX objects_by_customer;
DROP INDEX objects_by_payment_intent;
DROP INDEX objects_by_source;
DROP INDEX objects_by_transfer_group;
ALTER TABLE objects ADD COLUMN account TEXT NOT NULL DEFAULT '';
CREATE TABLE funds (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    available_on INTEGER NOT NULL,
    net INTEGER NOT NULL,
    PRIMARY KEY (account, currency, available_on)
) WITHOUT ROWID;
INSERT INTO funds
SELECT '', json_extract(body, '$.currency'), json_extract(body, '$.available_on'),
       SUM(json_extract(body, '$.net'))
FROM objects WHERE object = 'balance_transaction' GROUP BY 2, 3;
COMMIT;
