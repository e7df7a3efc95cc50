package dev.distillery.spark.testing;

import org.apache.spark.MapOutputTrackerMaster;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import scala.jdk.javaapi.CollectionConverters;

/** The one session that all tests of a JVM share: two threads, no UI, on the loopback address. */
public final class LocalSpark {
  private LocalSpark() {}

  /** The session; made on first use, ended with the JVM. */
  public static synchronized SparkSession session() {
    return SparkSession.builder()
        .master("local[2]")
        .appName("distillery-tests")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.speculation", "false")
        .config("spark.plugins", "dev.distillery.spark.fanout.FanoutPlugin")
        .getOrCreate();
  }

  /**
   * Loses every persisted block and every shuffle output, as executors that die with their disks
   * do: what is asked for next is computed again from where it came from.
   */
  public static void loseWhatIsHeld() {
    SparkContext context = session().sparkContext();
    new JavaSparkContext(context)
        .getPersistentRDDs()
        .keySet()
        .forEach(rdd -> SparkEnv.get().blockManager().master().removeRdd(rdd, true));
    var outputs = (MapOutputTrackerMaster) SparkEnv.get().mapOutputTracker();
    CollectionConverters.asJava(outputs.shuffleStatuses())
        .keySet()
        .forEach(shuffle -> outputs.unregisterAllMapAndMergeOutput((Integer) shuffle));
  }
}
