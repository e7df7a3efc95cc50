package dev.distillery.core.prompt;

import java.util.List;

/**
 * Texts that end a reply, for each step. The originals' ones cut good text: "20." in a price ends a
 * list of tasks. Ours stand for the head of what is past the end of the list, at the start of a
 * line. No step has more than the four that the OpenAI protocol allows.
 */
public final class StopSequences {
  private StopSequences() {}

  /** For {@link PromptTemplates#alpaca}. */
  public static List<String> alpaca(boolean strictParity) {
    int past = PromptTemplates.ALPACA_LIST + 1;
    return strictParity
        ? List.of("\n20", "20.")
        : List.of("\n" + past + ". Instruction", "###\n" + past + ".");
  }

  /**
   * For {@link PromptTemplates#newInstructions}.
   *
   * @param shown how many instructions the prompt shows; the originals' texts fit 8
   */
  public static List<String> newInstructions(int shown, boolean strictParity) {
    int past = shown + PromptTemplates.NEW_INSTRUCTIONS + 1;
    return strictParity
        ? List.of("\n\n", "\n16", "16.", "16 .")
        : List.of("\n" + past + ".", "\n" + past + ")");
  }

  /** For {@link PromptTemplates#classification}; the reply is a word, so a few tokens do. */
  public static List<String> classification(boolean strictParity) {
    return strictParity ? List.of("\n", "Task") : List.of("\nTask");
  }

  /** For both kinds of instances. */
  public static List<String> instances(boolean strictParity) {
    int past = InstanceFilter.MAX_INSTANCES + 1;
    return strictParity
        ? List.of("Example " + past, "Task:")
        : List.of("\nExample " + past, "\nTask:");
  }
}
