package dev.distillery.core.teacher;

/**
 * Makes teachers of one kind; found by {@link java.util.ServiceLoader}, so that a jar can add a
 * kind.
 */
public interface TeacherFactory {

  /**
   * The kind as `--teacher` names it: {@code openai}, {@code gguf}, {@code replay}, {@code
   * student}.
   */
  String kind();

  /**
   * Opens a teacher. Costly: called once a JVM.
   *
   * @throws IllegalArgumentException where the settings do not fit this kind; the message names the
   *     option
   */
  Teacher open(TeacherSettings settings, Secret apiKey);
}
