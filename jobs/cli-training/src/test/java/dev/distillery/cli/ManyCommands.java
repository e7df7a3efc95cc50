package dev.distillery.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.distillery.core.run.ProgressListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs commands one after the other in one process, which saves their starts. Standard input gives
 * of each a name and its words, each ended by a zero, and one zero more; what it prints goes to
 * NAME.out and NAME.err, and standard output gets its exit code.
 */
public final class ManyCommands {
  private ManyCommands() {}

  public static void main(String[] ignored) throws IOException {
    for (List<String> words = read(System.in); !words.isEmpty(); words = read(System.in)) {
      String name = words.get(0);
      try (var out = new PrintStream(Path.of(name + ".out").toFile(), UTF_8);
          var err = new PrintStream(Path.of(name + ".err").toFile(), UTF_8)) {
        String[] command = words.subList(1, words.size()).toArray(String[]::new);
        var tool =
            new CommandLineTool(out, err, ProgressListener.standardError(), Clock.systemUTC());
        System.out.println("exit " + tool.run(command));
        System.out.flush();
      }
    }
    System.exit(0);
  }

  /** Words up to an empty one. */
  private static List<String> read(InputStream in) throws IOException {
    List<String> words = new ArrayList<>();
    var word = new ByteArrayOutputStream();
    for (int next = in.read(); next >= 0; next = in.read()) {
      if (next > 0) {
        word.write(next);
      } else if (word.size() == 0) {
        break;
      } else {
        words.add(word.toString(UTF_8));
        word.reset();
      }
    }
    return words;
  }
}
