package dev.distillery.core.teacher;

import java.util.Locale;

/** Why a reply ended, in the words of {@link TeacherReply#finishReason}. */
public final class FinishReasons {
  /** The model ended its reply by itself. */
  public static final String STOP = "stop";

  /** Its tokens were too few. */
  public static final String LENGTH = "length";

  /** A filter of the server's, or the model, refused. */
  public static final String CONTENT_FILTER = "content_filter";

  private FinishReasons() {}

  /** The word for what makers of models and gateways call it; {@code other} for unknown ones. */
  public static String of(String reason) {
    return switch (reason.toLowerCase(Locale.ROOT)) {
      case STOP,
          "eos",
          "eos_token",
          "end_turn",
          "stop_sequence",
          "end_of_text",
          "endoftext",
          "complete",
          "completed",
          "finished" ->
          STOP;
      case LENGTH, "max_tokens", "model_length", "max_output_tokens", "max_length" -> LENGTH;
      case CONTENT_FILTER,
          "safety",
          "refusal",
          "recitation",
          "blocklist",
          "prohibited_content",
          "spii" ->
          CONTENT_FILTER;
      default -> "other";
    };
  }
}
