# SPDX-License-Identifier: Apache-2.0
# What documents say, done literally.  Sourced, behind node.bash; paths are from the present folder.
#
# A block "```console tested" is a session: each command (a line "$ …", with the lines that "\" joins to it) must succeed,
# but for "# fails", and what follows it is what it prints, with … for what differs from run to run.  A block
# "```LANGUAGE tested PATH" is a file.
declare -A checked=() said_for=()

# page NAME FILE: its files and sessions, one after the other; variables that they set stay.
page() {
  local line command='' wanted='' inside=''
  while IFS= read -r line <&7; do
    case $inside,$line in
      ',```console tested') inside=session ;;
      ',```'*' tested '*)
        inside=${line##* }
        mkdir -p "$(dirname "$inside")"
        : >"$inside"
        ;;
      ',```'*) inside=other ;;
      'session,```')
        command_check "$1" "$command" "$wanted"
        inside='' command='' wanted=''
        ;;
      *',```') inside='' ;;
      session,*)
        if [[ $command == *\\ && -z $wanted ]]; then
          command=${command%\\}${line#"${line%%[! ]*}"}
        elif [[ $line == '$ '* ]]; then
          command_check "$1" "$command" "$wanted"
          command=${line#'$ '} wanted=''
        else
          wanted+=$line$'\n'
        fi
        ;;
      ,* | other,*) ;;
      *) as_here "$line" >>"$inside" ;;
    esac
  done 7<"$2"
  [ -n "${checked[$1]:-}" ] && pass "$1: ${checked[$1]} commands" || fail "$1: its commands"
}
# as_here TEXT: with this run's addresses and folder for those of the documents.
as_here() {
  local text=$1 word
  text=${text//https:\/\/127.0.0.1:8443/$url}
  text=${text//http:\/\/127.0.0.1:9100/$admin}
  text=${text//\/tmp\/s3n/$data}
  for word in "${!said_for[@]}"; do text=${text//"$word"/${said_for[$word]}}; done
  printf '%s\n' "$text"
}
# command_check PAGE COMMAND OUTPUT
command_check() {
  local page=$1 command=$2 wanted=${3%$'\n'} status=0
  [ -n "$command" ] || return 0
  eval "$(as_here "$command")" >"$scratch/said" 2>&1 || status=$?
  checked[$page]=$((${checked[$page]:-0} + 1))
  if [[ $command == *'# fails' ]]; then
    [ $status != 0 ] || fail "$page: $command" "it succeeds"
  elif [ $status != 0 ]; then
    fail "$page: $command" "$(tail -n 3 "$scratch/said")"
  fi
  # Quoted but for the marks, so that nothing else of it is a pattern.
  wanted=$(as_here "$wanted")
  local pattern=${wanted//\\/\\\\}
  pattern=${pattern//\*/\\*} pattern=${pattern//\[/\\[} pattern=${pattern//\?/\\?}
  [[ -z $wanted || $(cat "$scratch/said") == ${pattern//…/*} ]] ||
    fail "$page: what «$command» prints" "got «$(cat "$scratch/said")», the page says «$wanted»"
}
