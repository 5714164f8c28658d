"""One function per stage, tables in, table out: the only place where pandas meets physics."""
