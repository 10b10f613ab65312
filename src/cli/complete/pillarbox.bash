# Completions of pillarbox for bash. Names of hosts, services, gates, keys, registries and readers are those of the
# workspace; no private key is used and no host is contacted.
_pillarbox() {
	local candidate
	COMPREPLY=()
	while IFS= read -r candidate; do
		[[ -z $candidate ]] || COMPREPLY+=("$candidate")
	done < <(command pillarbox complete-words bash "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
	# A folder is not the end of a word.
	if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o nosort -F _pillarbox pillarbox 2>/dev/null || complete -F _pillarbox pillarbox
