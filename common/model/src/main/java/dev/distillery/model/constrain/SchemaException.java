package dev.distillery.model.constrain;

/** A response format that is not honoured; the message names the place. */
public final class SchemaException extends Exception {
  private static final long serialVersionUID = 1L;

  private static final int MOST_PATH = 300;

  /**
   * @param path of the place, from the response format
   * @param why what is wrong there, and what to do
   */
  SchemaException(String path, String why) {
    super(
        (path.length() > MOST_PATH ? path.substring(0, MOST_PATH) + "..." : path) + " " + why,
        null,
        false,
        false);
  }
}
