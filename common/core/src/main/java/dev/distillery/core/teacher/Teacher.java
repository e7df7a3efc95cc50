package dev.distillery.core.teacher;

import java.util.concurrent.CompletableFuture;

/**
 * A model that answers. One instance serves a whole JVM and all its threads; it is opened once and
 * closed at the JVM's end.
 *
 * <p>{@link #send} makes one attempt. Whoever calls it decides on retries by {@link
 * TeacherException#category}.
 */
public interface Teacher extends AutoCloseable {

  /**
   * Asks once, without blocking the caller.
   *
   * @return the reply, or a future that fails with {@link TeacherException} (which stages that hang
   *     on it see as the cause of a {@link java.util.concurrent.CompletionException}); it completes
   *     on a thread that may be blocked
   */
  CompletableFuture<TeacherReply> send(TeacherRequest request);

  /**
   * Checks before any work that the teacher can be reached and knows its model.
   *
   * @return who answers, for the run's record: server, version, model; holds no secret
   * @throws TeacherException what is wrong, and what to do
   */
  String preflight() throws TeacherException;

  /**
   * Checks before any work that requests may have these fields; a server says so itself.
   *
   * @param extraBody as {@link TeacherRequest#extraBody}
   * @throws TeacherException which one it does not take
   */
  default void check(String extraBody) throws TeacherException {}

  /** The settings with what {@link #preflight} has found out, such as a new address. */
  default TeacherSettings found(TeacherSettings settings) {
    return settings;
  }

  /**
   * Takes up what another JVM's teacher has learnt of this server by {@link
   * TeacherException.Category#OTHER_FORM}.
   */
  default void takeOtherForm() {}

  /**
   * Most requests that make sense at once; a file run in this JVM has a small number, a server none
   * to speak of.
   */
  int maxConcurrency();

  /**
   * Tokens that are written of replies which are not finished, for a person who waits; 0 for a
   * server, which does not tell. Any thread may ask.
   */
  default long tokensInFlight() {
    return 0;
  }

  @Override
  void close();
}
