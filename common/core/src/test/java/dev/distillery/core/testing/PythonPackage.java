package dev.distillery.core.testing;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A Python package of one version, with what it needs, in a folder of its own in the user's cache:
 * installed by pip when a test first asks for it.
 */
public final class PythonPackage {
  private PythonPackage() {}

  /**
   * The folder that has the package, for {@code sys.path}. Two processes at once are safe, as the
   * finished folder is moved in. Where pip cannot bring the package, the test is skipped, with a
   * loud message.
   *
   * @param extra as in {@code package[extra]}; may be empty
   * @param options of pip install
   */
  public static synchronized Path folder(
      String name, String extra, String version, String... options) {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path home =
        cache == null || cache.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    Path folder = home.resolve("distillery/test/" + name + "-" + version);
    if (Files.isDirectory(folder)) {
      return folder;
    }
    try {
      Files.createDirectories(folder.getParent());
      Path work = Files.createTempDirectory(folder.getParent(), ".install-");
      Path log = Files.createTempFile("pip-" + name, ".log");
      var command =
          new ArrayList<>(
              List.of("python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"));
      command.addAll(List.of(options));
      String requirement = extra.isEmpty() ? name : name + "[" + extra + "]";
      command.addAll(List.of("--target", work.toString(), requirement + "==" + version));
      int code =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start()
              .waitFor();
      if (code != 0) {
        delete(work);
        skip("pip cannot install " + requirement + " " + version + ", see " + log);
      }
      move(work, folder);
    } catch (IOException e) {
      skip("python3 does not run: " + e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      skip("interrupted");
    }
    return folder;
  }

  private static void move(Path work, Path folder) throws IOException {
    try {
      Files.move(work, folder);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      delete(work); // Another test was faster; its copy is as good.
    }
  }

  private static void delete(Path work) throws IOException {
    try (var files = Files.walk(work)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static void skip(String why) {
    String line = "########## SKIPPED: " + why + " ##########";
    System.err.println(line);
    abort(line);
  }
}
