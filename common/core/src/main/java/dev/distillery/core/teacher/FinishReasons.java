package dev.distillery.core.teacher;

import java.util.Locale;

/** Why a reply ended, in the words of {@link TeacherReply#finishReason}. */
public final class FinishReasons {
  /** The model ended its reply by itself. */
  public static final String STOP = "stop";

  private FinishReasons() {}

  /** The word for what makers of models and gateways call it; {@code other} for unknown ones. */
  public static String of(String reason) {
    return switch (reason.toLowerCase(Locale.ROOT)) {
      case STOP, "eos", "eos_token", "end_turn", "stop_sequence", "end_of_text" -> STOP;
      case "length", "max_tokens", "model_length", "max_output_tokens", "max_length" -> "length";
      case "content_filter",
          "safety",
          "refusal",
          "recitation",
          "blocklist",
          "prohibited_content",
          "spii" ->
          "content_filter";
      default -> "other";
    };
  }
}
