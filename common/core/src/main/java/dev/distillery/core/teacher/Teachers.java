package dev.distillery.core.teacher;

import dev.distillery.core.run.Nearest;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** Opens teachers by kind, out of every {@link TeacherFactory} on the class path. */
public final class Teachers {
  private Teachers() {}

  /**
   * Opens the teacher that the settings name.
   *
   * @throws IllegalArgumentException where no jar on the class path has the kind, or the settings
   *     do not fit it; the message names the option
   */
  public static Teacher open(TeacherSettings settings, Secret apiKey) {
    var factories = new TreeMap<String, TeacherFactory>();
    for (TeacherFactory factory :
        ServiceLoader.load(TeacherFactory.class, Teachers.class.getClassLoader())) {
      factories.put(factory.kind(), factory);
    }
    TeacherFactory factory = factories.get(settings.kind());
    if (factory == null) {
      throw new IllegalArgumentException(
          "Unknown --teacher '%s'%s; known here: %s"
              .formatted(
                  settings.kind(),
                  Nearest.to(settings.kind(), factories.keySet())
                      .map(kind -> ", did you mean '" + kind + "'?")
                      .orElse(""),
                  String.join(", ", factories.keySet())));
    }
    return factory.open(settings, apiKey);
  }
}
