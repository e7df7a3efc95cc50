package dev.distillery.training.evaluate;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Task files by name or path. */
public final class TaskFiles {
  private static final String ENDING = ".yaml";

  private TaskFiles() {}

  /** Names of the packaged tasks, in the order of docs/evaluate.md. */
  public static List<String> names() {
    return resource("tasks/index.txt")
        .lines()
        .filter(line -> !line.isBlank() && !line.endsWith(":") && !line.contains(": "))
        .toList();
  }

  /** Names of groups of packaged tasks. */
  static List<String> groups() {
    return resource("tasks/index.txt")
        .lines()
        .filter(line -> line.contains(": "))
        .map(line -> line.substring(0, line.indexOf(':')))
        .toList();
  }

  /**
   * The files that words name: packaged tasks, groups of them, or YAML files.
   *
   * @throws JobException where one is neither
   */
  public static List<TaskFile> of(List<String> words, Configuration hadoop) {
    List<TaskFile> files = new ArrayList<>();
    for (String word : words) {
      if (word.contains("/") || word.endsWith(ENDING) || word.endsWith(".yml")) {
        files.add(read(word, hadoop));
      } else if (names().contains(word)) {
        files.add(packaged(word));
      } else {
        group(word).orElseThrow(() -> unknown(word)).forEach(name -> files.add(packaged(name)));
      }
    }
    return files;
  }

  private static Optional<List<String>> group(String word) {
    return resource("tasks/index.txt")
        .lines()
        .filter(line -> line.startsWith(word + ": "))
        .map(line -> List.of(line.substring(word.length() + 2).split(" ", -1)))
        .findFirst();
  }

  private static JobException unknown(String word) {
    List<String> known = Stream.concat(names().stream(), groups().stream()).toList();
    return JobException.invalid(
        "Option --tasks: '%s' is no packaged task; name a file that ends in %s, or one of %s%s"
            .formatted(word, ENDING, String.join(", ", known), Nearest.hint(word, known)));
  }

  private static TaskFile packaged(String name) {
    return new TaskFile(name, resource("tasks/" + name + ENDING));
  }

  /** A packaged text. */
  static String resource(String name) {
    try (InputStream in = TaskFiles.class.getResourceAsStream(name)) {
      return new String(
          Objects.requireNonNull(in, "No packaged " + name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TaskFile read(String path, Configuration hadoop) {
    try (InputStream in = open(new Path(path), hadoop)) {
      byte[] bytes = in.readNBytes(TaskFile.MAX_CHARS * 4 + 1);
      return new TaskFile(
          path,
          StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes)).toString());
    } catch (CharacterCodingException e) {
      throw JobException.invalid("Option --tasks: " + path + " is not written in UTF-8");
    } catch (IOException | IllegalArgumentException e) {
      throw JobException.invalid("Option --tasks: cannot read " + path + ": " + e.getMessage());
    }
  }

  private static InputStream open(Path file, Configuration hadoop) throws IOException {
    return file.getFileSystem(hadoop).open(file);
  }
}
