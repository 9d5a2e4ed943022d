
# What stands behind `cargo xtask` is completed as if it stood behind `cargo_xtask`.
function __cargo_xtask_is_next
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test $words[2] = xtask
end
function __cargo_xtask_offers
    set -l words (commandline -opc)
    complete -C "cargo_xtask "(string join ' ' -- (string escape -- $words[3..]) (commandline -ct))
end
complete -c cargo -n __cargo_xtask_is_next -f -a '(__cargo_xtask_offers)'
