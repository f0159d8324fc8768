# Says what it was asked; run by `sh`, as [[cgi]] helpers has it.
printf 'Content-Type: text/plain\n\n'
printf '%s %s, as %s\n' "$REQUEST_METHOD" "$SCRIPT_NAME$PATH_INFO" "$(id -un)"
