#!/usr/bin/env bash
# The preview of a pull request, as GitHub and GitLab run it:
#   tools/preview/preview.sh synth | cost | diff | comment      PIPELINE=pipeline names the file under environments/
# It compares what the pipeline would deploy where the pipeline would deploy it: each environment of each wave, in the
# account and region of its target. Everything lands in dist/preview. A failed comparison does not hide the others, and
# fails the step at its end.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PWD/node_modules/.bin:$PATH" JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1
out=dist/preview
assembly=$out/assembly
failed=0

case "${1:-}" in
  synth)
    cdk synth --quiet -c "pipeline=${PIPELINE:-pipeline}" --output "$assembly" || failed=1
    ;;
  cost)
    # dist/preview/base is a checkout of the target branch, with no packages of its own.
    base_assembly=$PWD/$out/base-assembly
    compare() { python -m ops cost --assembly "$assembly" --diff "$out/base.json" --markdown > "$out/cost.md"; }
    if ! (cd "$out/base" && cdk synth --quiet -c "pipeline=${PIPELINE:-pipeline}" --output "$base_assembly"); then
      echo "preview: the target branch cannot be synthesized, so nothing is said about cost" >&2
    # Its own prices count, where it has them: a new price table changes the cost, too.
    elif (cd "$out/base" && python -m ops cost --assembly "$base_assembly" --json) > "$out/base.json" && compare; then
      cat "$out/cost.md"
    else
      echo "preview: the target branch knows no cost that can be read here; its templates at the prices of this one" >&2
      { python -m ops cost --assembly "$base_assembly" --json > "$out/base.json" && compare; } || failed=1
      cat "$out/cost.md"
    fi
    ;;
  diff)
    mkdir -p "$out/differences"
    # A stage of the pipeline for each environment: pipeline/stage/stack.
    stages=$(cdk list --app "$assembly" '*/*/*' | cut -d/ -f1,2 | sort -u)
    if [ -z "$stages" ]; then
      echo "preview: $assembly holds no environment to compare; see what 'tools/preview/preview.sh synth' says" >&2
      failed=1
    fi
    for stage in $stages; do
      differences="$out/differences/${stage#*/}.txt"
      echo "== $stage"
      # Templates only: the role may read, and must not be able to do more.
      cdk diff --app "$assembly" --method template "$stage/*" > "$differences" 2>&1 || failed=1
      cat "$differences"
    done
    python -m tools.preview.plans --pipeline "${PIPELINE:-pipeline}" --out "$out/plans" || failed=1
    ;;
  comment)
    mkdir -p "$out/differences" "$out/plans"
    python -m tools.preview.comment --post --commit "${COMMIT:-}" \
      --differences "$out/differences" --plans "$out/plans" --assembly "$assembly" --cost "$out/cost.md" || failed=1
    ;;
  *)
    echo "usage: tools/preview/preview.sh synth|cost|diff|comment" >&2
    exit 2
    ;;
esac
exit "$failed"
