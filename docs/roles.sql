-- The role that `narkostop serve` connects as. `narkostop migrate --grant-to narkostop_api` says what it may do.
\getenv password POSTGRES_API_PASSWORD
CREATE ROLE narkostop_api LOGIN PASSWORD :'password';
