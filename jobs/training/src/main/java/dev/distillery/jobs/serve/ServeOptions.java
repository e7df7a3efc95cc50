package dev.distillery.jobs.serve;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.student.AskedOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/**
 * What the job serve can be told.
 *
 * @param run what every job can be told
 * @param student that is served
 * @param adapter LoRA adapters over it, NAME=DIR
 * @param name under which the plain model is asked for
 * @param host address that is listened on
 * @param port port that is listened on
 * @param apiKeyEnv environment variable of the key that clients must give
 * @param concurrency answers that are written at the same time
 * @param queue requests that may wait beside them
 * @param requestTimeout longest time of one answer
 * @param judgements local file that votes of the page are appended to
 */
@WithBuilder
public record ServeOptions(
    RunOptions run,
    AskedOptions student,
    @Option(
            names = "--adapter",
            paramLabel = "NAME=DIR",
            description =
                "PEFT adapter (LoRA) over the model, asked for by this name of a model. May be"
                    + " given again.")
        List<String> adapter,
    @Option(
            names = "--name",
            paramLabel = "NAME",
            description =
                "Name of the plain model for clients. Default: that of its directory or file,"
                    + " without .gguf.")
        Optional<String> name,
    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description =
                "Address that is listened on. There is no TLS: put a proxy before others, and a"
                    + " key.")
        String host,
    @Bounds(atLeast = 0, atMost = 65535)
        @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8000",
            description = "Port that is listened on; 0: any that is free.")
        int port,
    @Option(
            names = "--api-key-env",
            paramLabel = "VAR",
            description =
                "Environment variable of the key that clients must give. Default: none is asked"
                    + " for.")
        Optional<String> apiKeyEnv,
    @Bounds(atLeast = 1, atMost = 64)
        @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "8",
            description =
                "Answers that are written at the same time, of each model; fewer where their keys"
                    + " and values do not fit a quarter of this machine's memory.")
        int concurrency,
    @Bounds(atLeast = 0)
        @Option(
            names = "--queue",
            paramLabel = "N",
            defaultValue = "256",
            description = "Requests that may wait beside them; others get 429.")
        int queue,
    @Bounds(above = 0)
        @Option(
            names = "--request-timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Longest time of one answer.")
        Duration requestTimeout,
    @Option(
            names = "--judgements",
            paramLabel = "FILE",
            description =
                "Local JSONL file that votes of the page are written to, as rows of the table"
                    + " judgements, each before it is acknowledged. Default: nobody is asked to"
                    + " vote.")
        Optional<String> judgements)
    implements Validated {
  private static final Pattern NAME = Pattern.compile("[\\w.:/@+-]{1,200}");

  public ServeOptions {
    adapter = List.copyOf(adapter);
  }

  /** Named setters over the declared defaults. */
  public static ServeOptionsBuilder builder() {
    return ServeOptionsBuilder.builder(OptionsBinder.defaults(ServeOptions.class));
  }

  /** The plain model's name for clients. */
  String servedName() {
    return name.orElseGet(
        () -> {
          Path path = Path.of(student.model()).toAbsolutePath().normalize();
          Path last = path.getFileName();
          return last == null ? "student" : last.toString().replaceFirst("(?i)\\.gguf$", "");
        });
  }

  /** The adapters' folders by name. */
  Map<String, Path> adapters() {
    var folders = new LinkedHashMap<String, Path>();
    for (String one : adapter) {
      int at = one.indexOf('=');
      folders.put(one.substring(0, at), Path.of(one.substring(at + 1)));
    }
    return folders;
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>();
    List<String> names = new ArrayList<>();
    name.ifPresent(
        given -> {
          if (!NAME.matcher(given).matches()) {
            violations.add(
                "Option --name: expected what matches " + NAME + ", found '" + given + "'");
          }
        });
    if (!student.model().isEmpty()) {
      names.add(servedName());
    }
    for (String one : adapter) {
      int at = one.indexOf('=');
      if (at < 1 || at == one.length() - 1 || !NAME.matcher(one.substring(0, at)).matches()) {
        violations.add("Option --adapter: expected NAME=DIR, found '" + one + "'");
      } else if (names.contains(one.substring(0, at))) {
        violations.add(
            "Option --adapter: there is a model '"
                + one.substring(0, at)
                + "' already; choose another name");
      } else {
        names.add(one.substring(0, at));
      }
    }
    return violations;
  }
}
