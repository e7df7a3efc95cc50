package dev.distillery.core.prompt;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The prompts of job generate, built from five texts. Each works as text to continue and as a
 * user's message alike. A directory of files with the same names replaces some or all of them:
 *
 * <ul>
 *   <li>{@code alpaca.txt}: {@code {{count}}} tasks in all, {@code {{tasks}}} shown, the last left
 *       open
 *   <li>{@code instructions.txt}: {@code {{tasks}}} shown, numbered, and continued up to {@code
 *       {{last}}}
 *   <li>{@code classification.txt}, {@code instances-input-first.txt}, {@code
 *       instances-output-first.txt}: the {@code {{instruction}}} that is asked about
 * </ul>
 */
public final class PromptTemplates implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Tasks in an Alpaca list, the shown ones counted. */
  public static final int ALPACA_LIST = 20;

  /** Number of new instructions that a Self-Instruct list is asked for. */
  public static final int NEW_INSTRUCTIONS = 7;

  private enum Part {
    ALPACA("alpaca.txt", "count tasks"),
    INSTRUCTIONS("instructions.txt", "last tasks"),
    CLASSIFICATION("classification.txt", "instruction"),
    INPUT_FIRST("instances-input-first.txt", "instruction"),
    OUTPUT_FIRST("instances-output-first.txt", "instruction");

    private final String file;
    private final String placeholders;

    Part(String file, String placeholders) {
      this.file = file;
      this.placeholders = placeholders;
    }

    List<String> placeholders() {
      return List.of(placeholders.split(" ", -1));
    }
  }

  private final EnumMap<Part, PromptTemplate> parts;

  private PromptTemplates(EnumMap<Part, PromptTemplate> parts) {
    this.parts = parts;
  }

  /**
   * The templates of the package, with those of a directory in their place.
   *
   * @throws JobException where the directory cannot be read, or holds a template that cannot be
   *     used; names every problem
   */
  public static PromptTemplates load(Optional<Path> directory) {
    return of(directory.map(PromptTemplates::texts).orElse(Map.of()));
  }

  /**
   * The templates of the package, with those given in their place.
   *
   * @param replacements texts by file name
   * @throws JobException where a text cannot be used or its name is unknown; names every problem
   */
  public static PromptTemplates of(Map<String, String> replacements) {
    var problems = new ArrayList<String>();
    var unknown = new HashMap<>(replacements);
    var parts = new EnumMap<Part, PromptTemplate>(Part.class);
    for (Part part : Part.values()) {
      String replacement = unknown.remove(part.file);
      var template = new PromptTemplate(replacement == null ? packaged(part) : replacement);
      template
          .problems(part.placeholders())
          .forEach(problem -> problems.add(part.file + ": " + problem));
      parts.put(part, template);
    }
    unknown.keySet().stream()
        .sorted()
        .forEach(
            file ->
                problems.add(
                    file
                        + ": is not the name of a prompt template; known: "
                        + String.join(", ", Stream.of(Part.values()).map(p -> p.file).toList())));
    if (!problems.isEmpty()) {
      throw JobException.invalid(problems);
    }
    return new PromptTemplates(parts);
  }

  /**
   * Asks for a list of whole tasks that begins with the shown ones; ends in the open head of the
   * next.
   */
  public String alpaca(List<GeneratedTask> shown) {
    var tasks = new StringBuilder();
    for (int i = 0; i < shown.size(); i++) {
      GeneratedTask task = shown.get(i);
      int number = i + 1;
      tasks
          .append("###\n")
          .append(number + ". Instruction: " + oneLine(task.instruction()) + "\n")
          .append(number + ". Input:\n" + (task.input().isEmpty() ? "<noinput>" : task.input()))
          .append("\n" + number + ". Output:\n" + task.output() + "\n");
    }
    tasks.append("###\n" + (shown.size() + 1) + ". Instruction:");
    return fill(
        Part.ALPACA, Map.of("count", String.valueOf(ALPACA_LIST), "tasks", tasks.toString()));
  }

  /** Asks for new instructions after the shown ones; ends in the number of the first. */
  public String newInstructions(List<String> shown) {
    var tasks = new StringBuilder();
    for (int i = 0; i < shown.size(); i++) {
      tasks.append((i + 1) + ". " + oneLine(shown.get(i)) + "\n");
    }
    tasks.append((shown.size() + 1) + ".");
    return fill(
        Part.INSTRUCTIONS,
        Map.of("last", String.valueOf(shown.size() + NEW_INSTRUCTIONS), "tasks", tasks.toString()));
  }

  /** Asks whether the answers of a task are a few labels. */
  public String classification(String instruction) {
    return fill(Part.CLASSIFICATION, Map.of("instruction", oneLine(instruction)));
  }

  /** Asks for instances of a task, the input before the output. */
  public String instancesInputFirst(String instruction) {
    return fill(Part.INPUT_FIRST, Map.of("instruction", oneLine(instruction)));
  }

  /** Asks for instances of a classification task, the label before the input. */
  public String instancesOutputFirst(String instruction) {
    return fill(Part.OUTPUT_FIRST, Map.of("instruction", oneLine(instruction)));
  }

  /** SHA-256 of all texts in hexadecimal: two runs with the same one asked with the same words. */
  public String fingerprint() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (PromptTemplate template : parts.values()) {
        digest.update(template.text().getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  private String fill(Part part, Map<String, String> values) {
    return parts.get(part).fill(values);
  }

  /** As the originals show an instruction: on one line, without a colon at its end. */
  private static String oneLine(String instruction) {
    String line = PythonStrings.collapse(instruction);
    int end = line.length();
    while (end > 0 && line.charAt(end - 1) == ':') {
      end--;
    }
    return line.substring(0, end);
  }

  private static String packaged(Part part) {
    try (InputStream in = PromptTemplates.class.getResourceAsStream("/prompts/" + part.file)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks the resource prompts/" + part.file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Map<String, String> texts(Path directory) {
    var texts = new HashMap<String, String>();
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".txt")).sorted().toList()) {
        try (InputStream in = Files.newInputStream(file)) {
          byte[] bytes = in.readNBytes(4 * PromptTemplate.MAX_CHARS + 1);
          texts.put(
              String.valueOf(file.getFileName()),
              StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException e) {
          throw JobException.invalid(file + ": is not valid UTF-8; save the file as UTF-8");
        }
      }
    } catch (IOException e) {
      throw new JobException(
          ExitCode.INVALID,
          "The directory of prompt templates " + directory + " cannot be read: " + e,
          e);
    }
    return texts;
  }
}
