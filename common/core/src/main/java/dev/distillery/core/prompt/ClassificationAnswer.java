package dev.distillery.core.prompt;

import java.util.Set;
import java.util.regex.Pattern;

/** Reads the answer to {@link PromptTemplates#classification}. */
public final class ClassificationAnswer {
  private static final Set<String> STRICT_YES = Set.of("Yes", "yes", "YES");

  /** Yes as the first word, whatever stands around it; a chat model may repeat the question. */
  private static final Pattern YES =
      Pattern.compile(
          "\\A[^\\p{L}\\p{N}]{0,20}(?:is it classification\\?[^\\p{L}\\p{N}]{0,20})?yes"
              + PythonStrings.WORD_END,
          Pattern.CASE_INSENSITIVE);

  private ClassificationAnswer() {}

  /**
   * Whether the teacher takes the task for classification; any answer but yes is a no.
   *
   * @param strictParity whether only a lone Yes, yes or YES counts, as in the original
   */
  public static boolean isClassification(String reply, boolean strictParity) {
    return strictParity
        ? STRICT_YES.contains(PythonStrings.strip(reply))
        : YES.matcher(reply).find();
  }
}
