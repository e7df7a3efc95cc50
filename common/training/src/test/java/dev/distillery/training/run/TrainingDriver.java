package dev.distillery.training.run;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/**
 * A driver process for tests: {@code folder run-id name=value ...} trains {@link TinyTraining}'s
 * model. Spark's settings are system properties.
 */
public final class TrainingDriver {
  private TrainingDriver() {}

  public static void main(String[] args) throws Exception {
    SparkSession spark = SparkSession.builder().appName("training-test").getOrCreate();
    TinyTraining tiny = tiny(spark, Path.of(args[0]));
    for (String option : Arrays.asList(args).subList(2, args.length)) {
      int equals = option.indexOf('=');
      tiny.with(option.substring(0, equals), option.substring(equals + 1));
    }
    TinyTraining.TinySummary summary = tiny.run(args[1]);
    System.out.println("SUMMARY " + summary.figures());
    spark.stop();
  }

  /** The run that tests compare. */
  static TinyTraining tiny(SparkSession spark, Path folder) throws Exception {
    TinyTraining tiny = new TinyTraining(spark, folder, "lora");
    tiny.with("trainable", "lora").with("lora-dropout", 0.2).with("max-steps", 12);
    tiny.with("save-steps", 1).with("save-total-limit", 3).with("eval-steps", 4);
    tiny.eval = Optional.of(new TinyTraining.RandomRows(9, 4));
    return tiny;
  }
}
