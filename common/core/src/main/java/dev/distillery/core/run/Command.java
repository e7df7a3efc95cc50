package dev.distillery.core.run;

import java.util.Optional;

/**
 * One word of the command line, whatever it needs: all are bound, checked, listed and documented by
 * the same means.
 *
 * @param <O> its options
 */
public interface Command<O extends Record> {
  /** The name on the command line. */
  String name();

  /** One sentence for the list of commands. */
  String purpose();

  /** What `--help` and the command's page say besides the options. */
  Manual manual();

  Class<O> optionsType();

  /** The option, without dashes, that a word without an option is for: `show instructions`. */
  default Optional<String> bareWord() {
    return Optional.empty();
  }

  /** Whether a Spark session is opened for it; what needs none answers at once. */
  default boolean needsSpark() {
    return true;
  }
}
