#!/bin/bash
# First process of a real node, in a mount and a process namespace of the node's own: when it ends, however it ends, the kernel ends
# kubelet, containerd and every container with it, and drops their mounts. All variables come from node.ts.
set -eu

mount --make-rshared /
# Programs keep state in these folders under names that do not tell the node: an empty one for each node.
for folder in $PRIVATE_FOLDERS; do mount -t tmpfs tmpfs "$folder"; done
# kubelet writes these: the machine's own values stay.
for setting in vm/overcommit_memory=1 kernel/panic=10 kernel/panic_on_oops=1; do
	file="$NODE_FOLDER/sysctl-${setting%%=*}"
	mkdir -p "${file%/*}"
	echo "${setting#*=}" > "$file"
	mount --bind "$file" "/proc/sys/${setting%%=*}"
done
mkdir -p "$TMPDIR"

containerd --config "$NODE_FOLDER/containerd.toml" --log-level warn > "$LOGS/containerd.log" 2>&1 &
until ctr --address "$SOCKET" version > /dev/null 2>&1; do
	kill -0 $! # ends this script, and with it the node, if containerd could not start
	sleep 0.05
done

# Starts and ends of containers to the nanosecond; kubelet tells whole seconds. Not a job of this shell: the node lives without it.
ctr --address "$SOCKET" --namespace k8s.io events >> "$LOGS/events.log" 2>&1 &
disown

# The file appears when the API server answers: before that, kubelet would back off.
until [ -e "$CLUSTER_FOLDER/answers" ]; do sleep 0.05; done

"$CONTROL_PLANE" kubelet --config="$NODE_FOLDER/kubelet.json" --kubeconfig="$CLUSTER_FOLDER/$NODE.kubeconfig" \
	--root-dir="$NODE_FOLDER/kubelet" --cert-dir="$NODE_FOLDER/kubelet-pki" --hostname-override="$NODE" --node-ip="$ADDRESS" \
	> "$LOGS/kubelet.log" 2>&1 &
"$CONTROL_PLANE" kube-proxy --kubeconfig="$CLUSTER_FOLDER/kube-proxy.kubeconfig" --hostname-override="$NODE" --proxy-mode=nftables \
	--cluster-cidr="$PODS" --conntrack-max-per-core=0 --conntrack-min=0 \
	--metrics-bind-address=127.0.0.1:10249 --healthz-bind-address=127.0.0.1:10256 > "$LOGS/kube-proxy.log" 2>&1 &

wait -n # whichever of them ends takes the node with it
