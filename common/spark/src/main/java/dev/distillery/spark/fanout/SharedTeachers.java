package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.spark.job.ShippedModel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The teachers that are open in this JVM: one for each settings, shared by all its tasks. A file
 * that another run finds replaced is opened anew; a run keeps what it began with.
 */
final class SharedTeachers {
  private static final Map<TeacherSettings, Open> OPEN = new LinkedHashMap<>();

  private SharedTeachers() {}

  /**
   * A teacher.
   *
   * @param run that asked last
   * @param files as {@link ShippedModel#stamp} gives them; empty of a server
   */
  private record Open(String run, String files, Teacher teacher) {}

  /**
   * The teacher of these settings, opened where it is not yet.
   *
   * @param run that asks
   * @throws IllegalArgumentException where no jar has such a kind, or the settings do not fit it
   */
  static Teacher of(String run, TeacherSettings settings, Secret key) {
    synchronized (OPEN) {
      Open open = OPEN.get(settings);
      if (open != null && open.run().equals(run)) {
        return open.teacher();
      }
      TeacherSettings here = here(settings);
      String files = settings.server().isPresent() ? "" : ShippedModel.stamp(Path.of(here.model()));
      if (open != null && !open.files().equals(files)) {
        OPEN.remove(settings);
        open.teacher().close();
        open = null;
      }
      Teacher teacher = open == null ? Teachers.open(here, key) : open.teacher();
      OPEN.put(settings, new Open(run, files, teacher));
      return teacher;
    }
  }

  /** Tokens that this JVM's teachers have written of replies which are not finished. */
  static long tokensInFlight() {
    synchronized (OPEN) {
      return OPEN.values().stream().mapToLong(open -> open.teacher().tokensInFlight()).sum();
    }
  }

  /** Closes all; for the end of the JVM's Spark. */
  static void closeAll() {
    synchronized (OPEN) {
      OPEN.values().forEach(open -> open.teacher().close());
      OPEN.clear();
    }
  }

  /**
   * The same teacher by a file that this machine has: its own, or the one that came with the
   * application.
   */
  private static TeacherSettings here(TeacherSettings settings) {
    return settings.server().isPresent()
        ? settings
        : settings.withModel(ShippedModel.here(settings.model()).toString());
  }
}
