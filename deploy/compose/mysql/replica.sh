#!/bin/bash
# Runs once, when the replica's data folder is created. Replication itself begins with the start that follows,
# at the primary's first transaction; what the replica has written of its own until now is forgotten.
set -euo pipefail

MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root <<SQL
RESET BINARY LOGS AND GTIDS;
CHANGE REPLICATION SOURCE TO
  SOURCE_HOST = 'mysql',
  SOURCE_USER = 'replicator',
  SOURCE_PASSWORD = '$MYSQL_REPLICATION_PASSWORD',
  SOURCE_AUTO_POSITION = 1,
  SOURCE_CONNECT_RETRY = 5,
  SOURCE_RETRY_COUNT = 100000,
  GET_SOURCE_PUBLIC_KEY = 1;
SET PERSIST super_read_only = ON;
SQL
