# Completions of pillarbox for fish. Names of hosts, services, gates, keys, registries and readers are those of the
# workspace; no private key is used and no host is contacted.
complete --command pillarbox --no-files --keep-order --arguments '(command pillarbox complete-words fish -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token) 2>/dev/null)'
