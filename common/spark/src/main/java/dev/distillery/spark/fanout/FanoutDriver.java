package dev.distillery.spark.fanout;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.fanout.Wire.Abort;
import dev.distillery.spark.fanout.Wire.Exchange;
import dev.distillery.spark.fanout.Wire.Join;
import dev.distillery.spark.fanout.Wire.Question;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.jspecify.annotations.Nullable;

/**
 * The driver's part of the plugin: answers the tasks of the runs that are open in this session. It
 * never waits: questions are answered out of the books.
 */
final class FanoutDriver implements DriverPlugin {
  static final String SETTING = "spark.plugins=" + FanoutPlugin.class.getName();

  private static volatile @Nullable FanoutDriver current;

  private final Map<String, OpenRun> runs = new ConcurrentHashMap<>();

  @Override
  public Map<String, String> init(SparkContext context, PluginContext pluginContext) {
    current = this;
    return Map.of();
  }

  @Override
  public void shutdown() {
    current = null;
    runs.values().forEach(OpenRun::close);
  }

  /** The plugin of this JVM's session. */
  static FanoutDriver current() {
    FanoutDriver driver = current;
    if (driver == null) {
      throw JobException.invalid(
          "This Spark session cannot ask teachers: start it with the setting " + SETTING);
    }
    return driver;
  }

  void open(OpenRun run) {
    if (runs.putIfAbsent(run.id(), run) != null) {
      throw JobException.invalid("Run " + run.id() + " is already open in this session");
    }
  }

  void close(OpenRun run) {
    runs.remove(run.id(), run);
    run.close();
  }

  @Override
  public Object receive(Object message) {
    Question question = Wire.decode(Question.class, message);
    if (question instanceof Exchange exchange) {
      return Wire.encode(run(exchange.run()).exchange(exchange));
    }
    if (question instanceof Join join) {
      return Wire.encode(run(join.run()).join(join));
    }
    var abort = (Abort) question;
    run(abort.run()).book().stop(abort.stop());
    return Wire.encode(true);
  }

  private OpenRun run(String id) {
    OpenRun run = runs.get(id);
    if (run == null) {
      throw new IllegalStateException("Run " + id + " is not open in this session");
    }
    return run;
  }
}
