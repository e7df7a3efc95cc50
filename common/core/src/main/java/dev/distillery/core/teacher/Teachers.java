package dev.distillery.core.teacher;

import dev.distillery.core.run.Nearest;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Opens teachers by kind, out of every {@link TeacherFactory} on the class path. */
public final class Teachers {
  private static final String STUDENT = "student";

  private Teachers() {}

  /**
   * Opens the teacher that the settings name.
   *
   * @throws IllegalArgumentException where no jar on the class path has the kind, or the settings
   *     do not fit it; the message names the option
   */
  public static Teacher open(TeacherSettings settings, Secret apiKey) {
    Optional<String> missing = missing(settings.kind());
    if (missing.isPresent()) {
      throw new IllegalArgumentException(missing.get());
    }
    return Objects.requireNonNull(factories().get(settings.kind())).open(settings, apiKey);
  }

  /** What is wrong with asking for such a kind here, where something is. */
  public static Optional<String> missing(String kind) {
    Set<String> kinds = factories().keySet();
    if (kinds.contains(kind)) {
      return Optional.empty();
    }
    if (kind.equals(STUDENT)) {
      return Optional.of(
          "Option --teacher: the student computes with ND4J, which distillery-data.jar does not"
              + " carry; submit distillery-training.jar in its place, as submit/distillery does");
    }
    return Optional.of(
        "Unknown --teacher '%s'%s; known here: %s"
            .formatted(
                kind,
                Nearest.to(kind, kinds).map(near -> ", did you mean '" + near + "'?").orElse(""),
                String.join(", ", kinds)));
  }

  private static SortedMap<String, TeacherFactory> factories() {
    var factories = new TreeMap<String, TeacherFactory>();
    for (TeacherFactory factory :
        ServiceLoader.load(TeacherFactory.class, Teachers.class.getClassLoader())) {
      factories.put(factory.kind(), factory);
    }
    return factories;
  }
}
