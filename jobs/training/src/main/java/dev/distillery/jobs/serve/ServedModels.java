package dev.distillery.jobs.serve;

import dev.distillery.core.run.JobException;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.training.student.AskedOptions;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The students that are served, by the names under which clients ask for them. */
final class ServedModels implements AutoCloseable {
  private final Map<String, StudentEngine> engines = new LinkedHashMap<>();

  private ServedModels() {}

  /**
   * Opens a model, and the same with each adapter.
   *
   * @throws JobException where one cannot be read
   */
  static ServedModels open(ServeOptions options, EngineSettings settings) {
    AskedOptions student = options.student();
    Path model = Path.of(student.model());
    var models = new ServedModels();
    try {
      models.engines.put(
          options.servedName(),
          student.open("--model " + model, model, Optional.empty(), settings));
      options
          .adapters()
          .forEach(
              (name, adapter) ->
                  models.engines.put(
                      name,
                      student.open(
                          "--adapter " + name + "=" + adapter,
                          model,
                          Optional.of(adapter),
                          settings)));
      return models;
    } catch (RuntimeException e) {
      models.close();
      throw e;
    }
  }

  /** Their names, the plain model's first. */
  List<String> names() {
    return List.copyOf(engines.keySet());
  }

  /** The one of a name. */
  Optional<StudentEngine> find(String name) {
    return Optional.ofNullable(engines.get(name));
  }

  /** The plain model. */
  StudentEngine first() {
    return engines.values().iterator().next();
  }

  @Override
  public void close() {
    engines.values().forEach(StudentEngine::close);
  }
}
