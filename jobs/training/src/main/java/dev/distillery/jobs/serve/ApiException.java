package dev.distillery.jobs.serve;

import java.util.Optional;

/** A request that gets an error instead of an answer, in the form that OpenAI's errors have. */
final class ApiException extends Exception {
  private static final long serialVersionUID = 1L;

  private static final int MOST_MESSAGE = 500;
  private static final int MOST_NAME = 100;

  private final int status;
  private final String code;
  private final transient Optional<String> parameter;

  private ApiException(int status, String code, Optional<String> parameter, String message) {
    super(shortened(message, MOST_MESSAGE), null, false, false);
    this.status = status;
    this.code = code;
    this.parameter = parameter.map(name -> shortened(name, MOST_NAME));
  }

  /** A client's own words are told back to it, and not all of them. */
  private static String shortened(String text, int most) {
    return text.length() > most ? text.substring(0, most) + "..." : text;
  }

  /** One of the request's members is not as it should be. */
  static ApiException parameter(String name, String message) {
    return new ApiException(
        400, "invalid_value", Optional.of(name), "Parameter " + name + ": " + message);
  }

  /** The request as a whole cannot be answered. */
  static ApiException of(int status, String code, String message) {
    return new ApiException(status, code, Optional.empty(), message);
  }

  /** The HTTP status. */
  int status() {
    return status;
  }

  /** A word for programs. */
  String code() {
    return code;
  }

  /** The member that is meant, where it is one. */
  Optional<String> parameter() {
    return parameter;
  }

  String message() {
    return String.valueOf(getMessage());
  }
}
