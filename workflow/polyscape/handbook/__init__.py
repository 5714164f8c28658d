"""Pages for people, made from the declarations: the keys of the config, the columns of the tables."""
