
# What stands behind `cargo xtask` is completed as if it stood behind `cargo_xtask`; anything else as before.
if declare -F _completion_loader >/dev/null && ! complete -p cargo >/dev/null 2>&1; then
    # A completion that would be loaded at the first Tab would take the place of this one.
    _completion_loader cargo
fi
_cargo_xtask_before=$(complete -p cargo 2>/dev/null)
case $_cargo_xtask_before in
    *_cargo_with_xtask*) ;;
    *"-F "*)
        _cargo_xtask_before=${_cargo_xtask_before#*-F }
        _cargo_xtask_otherwise=${_cargo_xtask_before%% *}
        ;;
esac
_cargo_with_xtask() {
    if [[ ${COMP_WORDS[1]} == xtask && $COMP_CWORD -gt 1 ]]; then
        COMP_WORDS=(cargo_xtask "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _cargo_xtask cargo_xtask "$2" "$3"
    elif [[ -n $_cargo_xtask_otherwise ]]; then
        "$_cargo_xtask_otherwise" "$@"
    fi
}
complete -F _cargo_with_xtask -o bashdefault -o default cargo
