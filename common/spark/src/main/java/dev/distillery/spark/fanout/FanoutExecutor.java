package dev.distillery.spark.fanout;

import java.util.Map;
import java.util.Objects;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.jspecify.annotations.Nullable;

/** The executor's part of the plugin: the line to the driver of all tasks in this JVM. */
final class FanoutExecutor implements ExecutorPlugin {
  private static final int TRIES = 3;
  private static volatile @Nullable FanoutExecutor current;

  private @Nullable PluginContext context;

  @Override
  public void init(PluginContext pluginContext, Map<String, String> extraConf) {
    context = pluginContext;
    current = this;
  }

  @Override
  public void shutdown() {
    current = null;
    SharedTeachers.closeAll();
  }

  static FanoutExecutor current() {
    return Objects.requireNonNull(
        current, "The fan-out plugin is not loaded in this executor: set " + FanoutDriver.SETTING);
  }

  String executorId() {
    return Objects.requireNonNull(context).executorID();
  }

  /** Asks the driver; a question whose answer is lost is asked again, which changes nothing. */
  <T> T ask(Class<T> answer, Wire.Question question) {
    byte[] bytes = Wire.encode(question);
    for (int attempt = 1; ; attempt++) {
      try {
        return Wire.decode(answer, Objects.requireNonNull(context).ask(bytes));
      } catch (RuntimeException e) {
        throw e;
      } catch (Exception e) {
        if (attempt == TRIES) {
          throw new IllegalStateException(
              "The driver does not answer, so nothing more is sent: " + e.getMessage(), e);
        }
      }
    }
  }
}
