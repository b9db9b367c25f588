#!/usr/bin/env bash
# Does the image start, and does a cluster with nodes ask it? Builds, installs into a new kind cluster, asks about one pod
# that must be denied and one that must be admitted, uninstalls. KEEP=1 leaves the cluster.
#   npm run e2e:kind      needs docker (or podman, see kind), kind and kubectl
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in docker kind kubectl; do
  command -v "$tool" >/dev/null || { echo "e2e:kind needs $tool" >&2; exit 2; }
done

cluster=model-policy
image=model-policy-controller:$(sed -nE 's/^ *newTag: *(.*)$/\1/p' deploy/base/kustomization.yaml)
work=$(mktemp -d)
export KUBECONFIG=$work/kubeconfig
clean_up() {
  status=$?
  if [ "$status" -ne 0 ]; then
    kubectl --namespace model-policy-system get pods -o wide >&2 || true
    kubectl --namespace model-policy-system logs deployment/model-policy-controller --tail=50 >&2 || true
  fi
  [ -n "${KEEP:-}" ] || kind delete cluster --name "$cluster"
  rm -rf "$work"
  exit "$status"
}

docker build --tag "$image" .
trap clean_up EXIT
kind create cluster --config kind-config.yaml --kubeconfig "$KUBECONFIG" --wait 120s
kind load docker-image "$image" --name "$cluster"

# The replica that leads makes the certificate and writes its CA into the registration.
kubectl apply -k deploy/base
kubectl --namespace model-policy-system rollout status deployment/model-policy-controller --timeout=180s
for _ in $(seq 60); do
  ca=$(kubectl get validatingwebhookconfiguration model-policy-controller -o 'jsonpath={.webhooks[0].clientConfig.caBundle}')
  [ -n "$ca" ] && break
  sleep 1
done

pod() { # NAME VOLUME
  printf '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"containers":[{"name":"app","image":"registry.k8s.io/pause:3.10"}],"volumes":[%s]}}' "$1" "$2"
}
digest=sha256:$(printf '0%.0s' $(seq 64))
if pod with-model "{\"name\":\"model\",\"image\":{\"reference\":\"registry.example.com/models/chat@$digest\"}}" |
  kubectl apply --filename - 2>"$work/denied"; then
  echo "a model that no policy selects was admitted" >&2
  exit 1
fi
grep -q NoMatchingPolicy "$work/denied" || { cat "$work/denied" >&2; exit 1; }
pod without-model '' | kubectl apply --filename -

kubectl delete validatingwebhookconfiguration model-policy-controller
kubectl delete -k deploy/base --ignore-not-found
echo "1 cluster, 2 pods judged as they must be, uninstalled"
