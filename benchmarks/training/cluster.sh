# Sourced: a standalone cluster of two workers of one core each ($worker_memory, 3g by default), stopped with the script that sources it. Wants $home and $work; sets SPARK_HOME,
# the array spark_options (the master and a driver on this machine's loopback) and stops its daemons at exit.
venv=${XDG_CACHE_HOME:-$HOME/.cache}/distillery/bench-spark
[[ -x $venv/bin/python ]] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q pyspark==4.1.0; }
SPARK_HOME=$("$venv/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
export SPARK_HOME SPARK_LOCAL_IP=127.0.0.1 SPARK_DAEMON_MEMORY=256m

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
daemons=()
trap 'kill "${daemons[@]}" 2> /dev/null || true' EXIT
"$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master --host 127.0.0.1 --port "$port" --webui-port 0 > "$work/master.log" 2>&1 &
daemons+=($!)
sleep 5
for worker in 1 2; do
  rm -rf "${work:?}/worker-$worker"
  "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.worker.Worker --host 127.0.0.1 --webui-port 0 --cores 1 --memory "${worker_memory:-3g}" \
    --work-dir "$work/worker-$worker" "spark://127.0.0.1:$port" > "$work/worker-$worker.log" 2>&1 &
  daemons+=($!)
done
sleep 5
spark_options=(--master "spark://127.0.0.1:$port" --conf spark.executor.cores=1 --conf spark.driver.host=127.0.0.1 --conf spark.driver.bindAddress=127.0.0.1)
