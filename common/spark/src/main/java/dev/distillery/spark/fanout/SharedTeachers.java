package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.spark.job.ShippedModel;
import java.util.LinkedHashMap;
import java.util.Map;

/** The teachers that are open in this JVM: one for each settings, shared by all its tasks. */
final class SharedTeachers {
  private static final Map<TeacherSettings, Teacher> OPEN = new LinkedHashMap<>();

  private SharedTeachers() {}

  /**
   * The teacher of these settings, opened where it is not yet.
   *
   * @throws IllegalArgumentException where no jar has such a kind, or the settings do not fit it
   */
  static Teacher of(TeacherSettings settings, Secret key) {
    synchronized (OPEN) {
      Teacher teacher = OPEN.get(settings);
      if (teacher == null) {
        teacher = Teachers.open(here(settings), key);
        OPEN.put(settings, teacher);
      }
      return teacher;
    }
  }

  /** Tokens that this JVM's teachers have written of replies which are not finished. */
  static long tokensInFlight() {
    synchronized (OPEN) {
      return OPEN.values().stream().mapToLong(Teacher::tokensInFlight).sum();
    }
  }

  /** Closes all; for the end of the JVM's Spark. */
  static void closeAll() {
    synchronized (OPEN) {
      OPEN.values().forEach(Teacher::close);
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
