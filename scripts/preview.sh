#!/usr/bin/env bash
# The preview of a pull request, as GitHub and GitLab run it:
#   scripts/preview.sh synth | diff | comment      ENVIRONMENTS="dev prod" names the environments
# Everything lands in dist/preview. A failure in one environment does not hide the others, and fails the step at its end.
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH" JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1
out=dist/preview
read -ra environments <<< "${ENVIRONMENTS:-dev prod}"
failed=0

case "${1:-}" in
  synth)
    for env in "${environments[@]}"; do
      echo "== $env"
      cdk synth --quiet -c "env=$env" --output "$out/assemblies/$env" || failed=1
    done
    ;;
  diff)
    mkdir -p "$out/differences"
    for env in "${environments[@]}"; do
      echo "== $env"
      # Templates only: the role may read, and must not be able to do more.
      cdk diff --app "$out/assemblies/$env" --method template > "$out/differences/$env.txt" 2>&1 || failed=1
      cat "$out/differences/$env.txt"
    done
    ;;
  comment)
    mkdir -p "$out/differences"
    python scripts/pull_request_comment.py --post --commit "${COMMIT:-}" \
      --differences "$out/differences" --findings "$out/assemblies" --cost "$out/cost.md" || failed=1
    ;;
  *)
    echo "usage: scripts/preview.sh synth|diff|comment" >&2
    exit 2
    ;;
esac
exit "$failed"
