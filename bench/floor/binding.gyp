{
  "targets": [{ "target_name": "floor", "sources": ["floor.c"], "cflags": ["-O2", "-Wall", "-Wextra"] }]
}
