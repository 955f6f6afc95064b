"""A stand-in for the logins at Google, Facebook and Apple.

`python -m local.openid --port 12115` serves each below its name (`/google/…`), at that provider's
own paths: a page where anybody may be anybody, codes that are good once and only with their PKCE
verifier, ID tokens signed with its own keys, Facebook's `me`. With `as=` an address of the page's
answers at once, as a browser would after the login; with `fault=` what comes of that login is wrong
in some way (`local.openid.logins.Fault`). `/_control/clients` says what a client is called there.
"""
