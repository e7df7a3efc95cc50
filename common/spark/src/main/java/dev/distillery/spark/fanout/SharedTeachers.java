package dev.distillery.spark.fanout;

import dev.distillery.core.run.ModelHash;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The teachers that are open in this JVM: one for each settings, shared by all its tasks. A file
 * that was replaced is opened anew by whoever begins then; the old one stays open while a task
 * holds it. A run asks one teacher after the other, and takes no memory for those that it has left.
 */
final class SharedTeachers {
  /** By settings, the newest last. */
  private static final Map<TeacherSettings, List<Open>> OPEN = new HashMap<>();

  private SharedTeachers() {}

  /**
   * Who asks.
   *
   * @param run folder of the run's ledger
   * @param attempt at the run; in another one its files may be others
   */
  record Asker(String run, String attempt) {}

  /** A teacher of files as they were. */
  private static final class Open {
    final String files;
    final Teacher teacher;
    final Set<Asker> askers = new HashSet<>();
    int tasks;

    Open(String files, Teacher teacher) {
      this.files = files;
      this.teacher = teacher;
    }
  }

  /** A task's hold on a teacher, which stays open until this is closed. */
  static final class Held implements AutoCloseable {
    private final TeacherSettings settings;
    private final Open open;

    private Held(TeacherSettings settings, Open open) {
      this.settings = settings;
      this.open = open;
    }

    Teacher teacher() {
      return open.teacher;
    }

    /** Once. */
    @Override
    public void close() {
      synchronized (OPEN) {
        open.tasks--;
        closeOld(settings);
      }
    }
  }

  /**
   * The teacher of these settings, opened where it is not yet; of an attempt that has asked one,
   * the same.
   *
   * @throws IllegalArgumentException where no jar has such a kind, or the settings do not fit it
   */
  static Held hold(Asker asker, TeacherSettings settings, Secret key) {
    synchronized (OPEN) {
      closeLeft(asker.run(), settings);
      List<Open> all = OPEN.computeIfAbsent(settings, unused -> new ArrayList<>());
      Optional<Open> begun = all.stream().filter(open -> open.askers.contains(asker)).findFirst();
      Open open = begun.orElseGet(() -> ofFiles(all, settings, key));
      open.askers.add(asker);
      open.tasks++;
      closeOld(settings);
      return new Held(settings, open);
    }
  }

  private static Open ofFiles(List<Open> all, TeacherSettings settings, Secret key) {
    TeacherSettings here = here(settings);
    String files = files(here);
    return all.stream()
        .filter(open -> open.files.equals(files))
        .findFirst()
        .orElseGet(
            () -> {
              var open = new Open(files, Teachers.open(here, key));
              all.add(open);
              return open;
            });
  }

  /** What is another where a file has been replaced; a server has none. */
  private static String files(TeacherSettings here) {
    if (here.server().isPresent() || !Files.exists(Path.of(here.model()))) {
      return "";
    }
    try {
      return ModelHash.stamp(Path.of(here.model()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Closes the models in this JVM's memory that nobody but the run has asked, before its next. */
  private static void closeLeft(String run, TeacherSettings next) {
    OPEN.forEach(
        (settings, all) -> {
          if (settings.server().isEmpty() && !settings.equals(next)) {
            List<Open> left =
                all.stream()
                    .filter(open -> open.tasks == 0)
                    .filter(open -> open.askers.stream().allMatch(each -> each.run().equals(run)))
                    .toList();
            all.removeAll(left);
            left.forEach(open -> open.teacher.close());
          }
        });
  }

  /** Closes what is not the newest and has no task. */
  private static void closeOld(TeacherSettings settings) {
    List<Open> all = OPEN.getOrDefault(settings, List.of());
    for (int i = all.size() - 2; i >= 0; i--) {
      if (all.get(i).tasks == 0) {
        all.remove(i).teacher.close();
      }
    }
  }

  /** Tokens that this JVM's teachers have written of replies which are not finished. */
  static long tokensInFlight() {
    synchronized (OPEN) {
      return OPEN.values().stream()
          .flatMap(List::stream)
          .mapToLong(open -> open.teacher.tokensInFlight())
          .sum();
    }
  }

  /** Closes all; for the end of the JVM's Spark. */
  static void closeAll() {
    synchronized (OPEN) {
      OPEN.values().stream().flatMap(List::stream).forEach(open -> open.teacher.close());
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
