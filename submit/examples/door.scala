// The same as JavaDoor.java, typed into spark-shell:
//   DOOR_INPUT=alpaca.json DOOR_WAREHOUSE=wh spark-shell --jars jobs/cli/target/distillery-data.jar < submit/examples/door.scala
import dev.distillery.core.run.RunOptions
import dev.distillery.datasets.registry.Sources
import dev.distillery.jobs.dedup.{DedupJob, DedupOptions}
import dev.distillery.jobs.ingest.{IngestJob, IngestOptions}
import java.util.List

def named(id: String) = RunOptions.builder().warehouse(sys.env("DOOR_WAREHOUSE")).runId(id).build()
val read = new IngestJob().run(spark, IngestOptions.builder().run(named("read")).source(Sources.ALPACA).input(List.of(sys.env("DOOR_INPUT"))).build())
val unique = new DedupJob().run(spark, DedupOptions.builder().run(named("unique")).input(List.of("instructions@read")).threshold(0.6).build())
println(s"${unique.kept} of ${unique.in} rows are kept")
spark.read.parquet(unique.tables.get("instructions").path).select("instruction").show(3)
