package dev.distillery.spark.job;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.jspecify.annotations.Nullable;

/**
 * What Spark's own pages say of the jobs that this thread starts, until it is closed: then the
 * caller's group and description stand again. A group that the caller has set stays, so that a
 * notebook can cancel what it started.
 */
public final class SparkLabel implements AutoCloseable {
  private static final String GROUP = "spark.jobGroup.id";
  private static final String DESCRIPTION = "spark.job.description";
  private static final String INTERRUPT = "spark.job.interruptOnCancel";

  private final SparkContext context;
  private final Map<String, @Nullable String> before = new LinkedHashMap<>();

  private SparkLabel(SparkContext context) {
    this.context = context;
    for (String name : List.of(GROUP, DESCRIPTION, INTERRUPT)) {
      before.put(name, context.getLocalProperty(name));
    }
  }

  /** Puts jobs into a group, unless the caller has one, and describes them. */
  public static SparkLabel of(SparkContext context, String group, String description) {
    var label = new SparkLabel(context);
    if (label.before.get(GROUP) == null) {
      context.setLocalProperty(GROUP, group);
    }
    context.setLocalProperty(DESCRIPTION, description);
    return label;
  }

  @Override
  public void close() {
    before.forEach(context::setLocalProperty);
  }
}
