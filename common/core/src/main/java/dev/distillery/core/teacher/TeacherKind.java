package dev.distillery.core.teacher;

import java.util.Locale;
import java.util.Optional;

/** The kinds of teachers, and what each needs. Which of them are here, {@link Teachers} knows. */
public enum TeacherKind {
  /** A server that speaks OpenAI's protocol: it has an address, a key and a price. */
  OPENAI,
  /** A GGUF file in this process; the small one that submit/fetch-model brings, by default. */
  GGUF("SmolLM2-135M-Instruct.Q4_1.gguf"),
  /** Replies from a file. */
  REPLAY,
  /** The student itself: a directory or file. It takes a chat template and no fields of a body. */
  STUDENT;

  private final Optional<String> defaultFile;

  TeacherKind() {
    this.defaultFile = Optional.empty();
  }

  TeacherKind(String defaultFile) {
    this.defaultFile = Optional.of(defaultFile);
  }

  /** The word for it on the command line and in records. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether it answers over the network and has a price; the others are files, and free. */
  public boolean isServer() {
    return this == OPENAI;
  }

  /** The model where none is named: a file in the cache. */
  public Optional<String> defaultModel() {
    return defaultFile.map(file -> cache() + "/distillery/models/" + file);
  }

  private static String cache() {
    return Optional.ofNullable(System.getenv("XDG_CACHE_HOME"))
        .filter(folder -> !folder.isEmpty())
        .orElseGet(() -> System.getProperty("user.home") + "/.cache");
  }
}
