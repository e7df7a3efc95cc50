package dev.distillery.jobs.serve;

import dev.distillery.core.run.JobException;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.Student;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.training.tokens.AdapterTokenizer;
import java.io.IOException;
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
   * Opens a model, and the same with each adapter, merged: all its matrices lie in memory of their
   * own, in float32.
   *
   * @param adapters folders by name
   * @throws JobException where one cannot be read
   */
  static ServedModels open(
      Path model, String name, Map<String, Path> adapters, int threads, EngineSettings settings) {
    var models = new ServedModels();
    try {
      models.add(name, "--model " + model, model, Optional.empty(), threads, settings);
      for (var adapter : adapters.entrySet()) {
        models.add(
            adapter.getKey(),
            "--adapter " + adapter.getKey() + "=" + adapter.getValue(),
            model,
            Optional.of(adapter.getValue()),
            threads,
            settings);
      }
      return models;
    } catch (RuntimeException e) {
      models.close();
      throw e;
    }
  }

  private void add(
      String name,
      String option,
      Path model,
      Optional<Path> adapter,
      int threads,
      EngineSettings settings) {
    try {
      if (adapter.isPresent()) {
        AdapterTokenizer.check(adapter.get(), model, settings.chatTemplate());
      }
      var engine = new StudentEngine(Student.open(model, adapter, threads), settings);
      engines.put(name, engine);
      engine.load();
    } catch (IOException | IllegalArgumentException e) {
      throw JobException.invalid("Option " + option + ": " + e.getMessage());
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
