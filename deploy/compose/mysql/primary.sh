#!/bin/bash
# Runs once, when the primary's data folder is created: the user that the replica reads with.
set -euo pipefail

MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root <<SQL
CREATE USER 'replicator'@'%' IDENTIFIED BY '$MYSQL_REPLICATION_PASSWORD';
GRANT REPLICATION SLAVE ON *.* TO 'replicator'@'%';
SQL
