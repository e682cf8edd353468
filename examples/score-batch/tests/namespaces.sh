# A cluster of four machines, as far as the network goes: a client, a scheduler and two executors, each in a network namespace of
# its own on one bridge. Runs as the first process of namespaces made by `unshare`, so that all of it ends with this script.
#
# namespaces.sh PROGRAM BUNDLE INPUTS OUTPUT [cut]: with `cut`, the first executor's cable is pulled when there is an output.
set -eu
program=$1 bundle=$2 inputs=$3 output=$4 cut=${5-}

# Where `ip` notes the names of namespaces.
mount -t tmpfs none /run
ip link add name bridge type bridge
ip link set bridge up
last=0
for machine in client scheduler executor1 executor2; do
    last=$((last + 1))
    ip netns add $machine
    ip link add name $machine type veth peer name eth0 netns $machine
    ip link set $machine master bridge up
    ip -n $machine address add 10.77.0.$last/24 dev eth0
    ip -n $machine link set eth0 up
    ip -n $machine link set lo up
done

on() {
    machine=$1
    shift
    exec ip netns exec "$machine" "$program" "$@"
}

# Nothing else listens in the scheduler's namespace.
on scheduler scheduler --host 10.77.0.2 --executor-timeout 4 >&2 &
until ip netns exec scheduler grep -q ' 0A ' /proc/net/tcp; do sleep 0.1; done
for number in 1 2; do
    on executor$number executor --host 10.77.0.$((number + 2)) --scheduler df://10.77.0.2:50050 --cores 1 --heartbeat 1 >&2 &
done
on client "$bundle" "$inputs" --output "$output" --in-flight 3 --cluster df://10.77.0.2:50050 &
client=$!
if [ "$cut" = cut ]; then
    until ls "$output"/part-*.parquet >/dev/null 2>&1; do sleep 0.01; done
    kill -0 $client
    ip link set executor1 down
fi
wait $client
