package dev.distillery.core.teacher;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Loads llama.cpp's native library once a JVM, from a directory of this JVM's own.
 *
 * <p>Left alone, de.kherud:llama unpacks it into {@code java.io.tmpdir} under a fixed name, deletes
 * everything there whose name begins with {@code llama}, and says so on standard output: two JVMs
 * that start together on one host trip over each other. So we unpack it, point the library at it by
 * its own system properties, and delete it as soon as it is loaded.
 */
final class LlamaNative {
  private static final String CLASS = "de.kherud.llama.LlamaModel";
  private static final String LIBRARY_PATH = "de.kherud.llama.lib.path";
  private static final String TEMPORARY = "de.kherud.llama.tmpdir";

  private static boolean loaded;

  private LlamaNative() {}

  /**
   * Loads the library; does nothing the second time.
   *
   * @throws IllegalStateException where this machine cannot run it; says why
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      Path own = Files.createTempDirectory("distillery-llama-");
      try {
        unpackAndLoad(own);
      } finally {
        delete(own);
      }
      loaded = true;
    } catch (IOException e) {
      throw new IllegalStateException(
          "Cannot unpack llama.cpp's native library: %s; give the JVM a -Djava.io.tmpdir that can be written"
              .formatted(e.getMessage()),
          e);
    } catch (ClassNotFoundException | LinkageError e) {
      throw new IllegalStateException(
          "llama.cpp's native library does not load here (%s, %s): %s; use --teacher openai"
              .formatted(
                  System.getProperty("os.name"), System.getProperty("os.arch"), e.getMessage()),
          e);
    }
  }

  private static void unpackAndLoad(Path own) throws IOException, ClassNotFoundException {
    String name = System.mapLibraryName("jllama");
    String resource = "/de/kherud/llama/" + platform() + "/" + name;
    if (System.getProperty(LIBRARY_PATH) == null) {
      try (InputStream library = LlamaNative.class.getResourceAsStream(resource)) {
        if (library != null) {
          Files.copy(library, own.resolve(name));
          System.setProperty(LIBRARY_PATH, own.toString());
        }
      }
    }
    // Of its own, because the library deletes what it takes for leavings of earlier runs.
    System.setProperty(TEMPORARY, Files.createDirectory(own.resolve("tmp")).toString());
    Class.forName(CLASS, true, LlamaNative.class.getClassLoader());
  }

  /** The folder in the jar, as the library names it. */
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.contains("mac") ? "Mac" : os.contains("win") ? "Windows" : "Linux")
        + "/"
        + (List.of("amd64", "x86_64", "x64").contains(arch) ? "x86_64" : "aarch64");
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      // A loaded library stays mapped without its name; where that is not so (Windows) it goes at
      // the JVM's end.
      for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
        if (!file.toFile().delete()) {
          file.toFile().deleteOnExit();
        }
      }
    }
  }
}
