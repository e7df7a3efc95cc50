package dev.distillery.core.teacher;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One attempt that failed. The category says what a caller may do about it. */
public final class TeacherException extends Exception {
  private static final long serialVersionUID = 1L;

  /** Why an attempt failed; written to `completions.error` in lower case. */
  public enum Category {
    /**
     * The server asks to slow down (429). Does not count as a failed try while the server says
     * wait.
     */
    RATE_LIMITED,
    /** The server is in trouble (408, 409, 5xx). May be tried again. */
    SERVER_ERROR,
    /**
     * No connection could be made: nothing was sent, and nobody is there to ask. May be tried
     * again.
     */
    UNREACHABLE,
    /** The connection broke. May be tried again; the server may have counted the request. */
    CONNECTION,
    /**
     * No answer within the request's timeout. May be tried again; the server may have counted it.
     */
    TIMEOUT,
    /** The answer is cut off or is not the JSON that the protocol promises. May be tried again. */
    MALFORMED_REPLY,
    /**
     * The server wants the request in another form, which the teacher uses from now on. Cost
     * nothing; may be sent again at once, and is no failed try.
     */
    OTHER_FORM,
    /**
     * The server sends requests on to another of its addresses, where the teacher asks from now on.
     * Cost nothing; may be sent again at once, and is no failed try.
     */
    MOVED,
    /** The request itself is refused (400, 422). Asking again would give the same. */
    BAD_REQUEST,
    /** The prompt does not fit the model's context. Asking again would give the same. */
    CONTEXT_LENGTH,
    /** The key is missing or refused (401, 403). The whole run stops. */
    AUTHENTICATION,
    /** The account has no money left. The whole run stops. */
    INSUFFICIENT_QUOTA,
    /** The server does not know the model (404). The whole run stops. */
    UNKNOWN_MODEL,
    /** The recording has no reply for the request. */
    NOT_RECORDED;

    /** Whether another attempt may succeed. */
    public boolean retryable() {
      return switch (this) {
        case RATE_LIMITED,
            SERVER_ERROR,
            UNREACHABLE,
            CONNECTION,
            TIMEOUT,
            MALFORMED_REPLY,
            OTHER_FORM,
            MOVED ->
            true;
        case BAD_REQUEST,
            CONTEXT_LENGTH,
            AUTHENTICATION,
            INSUFFICIENT_QUOTA,
            UNKNOWN_MODEL,
            NOT_RECORDED ->
            false;
      };
    }
  }

  private final Category category;
  private final int httpStatus;
  private final @Nullable Duration retryAfter;
  private final boolean retryable;
  private final transient RateLimits limits;

  /**
   * @param category what kind of failure
   * @param httpStatus the answer's status, 0 where there was none
   * @param retryAfter how long the server asks to wait, where it says so
   * @param message what happened, with the offending value; holds no secret and no prompt
   */
  public TeacherException(
      Category category, int httpStatus, Optional<Duration> retryAfter, String message) {
    this(category, httpStatus, retryAfter, Optional.empty(), RateLimits.NONE, message);
  }

  /**
   * As above, with what else the server says.
   *
   * @param shouldRetry the server's own word on another attempt, over the category's
   * @param limits what the server says of the caller's limits
   */
  public TeacherException(
      Category category,
      int httpStatus,
      Optional<Duration> retryAfter,
      Optional<Boolean> shouldRetry,
      RateLimits limits,
      String message) {
    super(message);
    this.category = category;
    this.httpStatus = httpStatus;
    this.retryAfter = retryAfter.orElse(null);
    this.retryable = shouldRetry.orElse(category.retryable());
    this.limits = limits;
  }

  public Category category() {
    return category;
  }

  /** Whether the attempt only taught the teacher how this server wants to be asked. */
  public boolean taught() {
    return category == Category.OTHER_FORM || category == Category.MOVED;
  }

  public int httpStatus() {
    return httpStatus;
  }

  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /** What the server says of the caller's limits. */
  public RateLimits limits() {
    return limits;
  }

  /** Whether another attempt may succeed: as the server says, else by category. */
  public boolean retryable() {
    return retryable;
  }

  /** Serialisation keeps all but the limits, which are stale by then. */
  private Object readResolve() {
    return new TeacherException(
        category,
        httpStatus,
        retryAfter(),
        Optional.of(retryable),
        RateLimits.NONE,
        String.valueOf(getMessage()));
  }

  /**
   * Whether every further request of the run would fail in the same way, so that the run must stop.
   */
  public boolean fatal() {
    return switch (category) {
      case AUTHENTICATION, INSUFFICIENT_QUOTA, UNKNOWN_MODEL -> true;
      case RATE_LIMITED,
          SERVER_ERROR,
          UNREACHABLE,
          CONNECTION,
          TIMEOUT,
          MALFORMED_REPLY,
          OTHER_FORM,
          MOVED,
          BAD_REQUEST,
          CONTEXT_LENGTH,
          NOT_RECORDED ->
          false;
    };
  }
}
