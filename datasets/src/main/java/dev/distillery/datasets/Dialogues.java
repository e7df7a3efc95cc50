package dev.distillery.datasets;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import java.util.List;
import java.util.Optional;

/** What sources of dialogues have in common. */
public final class Dialogues {
  private Dialogues() {}

  /**
   * The comparison that two dialogues make which are the same up to their last answers.
   *
   * @throws RejectedRowException where they part earlier, or do not end in an answer
   */
  public static Tagging.Comparison parting(
      List<Message> chosen, List<Message> rejected, Optional<String> split)
      throws RejectedRowException {
    int last = chosen.size() - 1;
    boolean answered = endsInAnswer(chosen) && endsInAnswer(rejected);
    if (!answered) {
      throw new RejectedRowException(
          "no_answer", "A dialogue does not end in an answer of the assistant");
    }
    requireAnswer(chosen.get(last));
    requireAnswer(rejected.get(rejected.size() - 1));
    boolean samePrompt =
        last == rejected.size() - 1 && chosen.subList(0, last).equals(rejected.subList(0, last));
    if (!samePrompt) {
      throw new RejectedRowException(
          "prompts_differ", "The two dialogues part before their last answers");
    }
    return Tagging.Comparison.of(
        chosen.subList(0, last), chosen.get(last).content(), rejected.get(last).content(), split);
  }

  /**
   * Rejects what cannot be one of two compared answers: what somebody else than the assistant says,
   * and what is more than its words, for the table holds these alone.
   */
  public static void requireAnswer(Message answer) throws RejectedRowException {
    if (!answer.role().equals(Roles.ASSISTANT)) {
      throw new RejectedRowException("no_answer", "An answer is by the " + answer.role());
    }
    String more =
        answer.toolCalls().isPresent()
            ? "tool_calls"
            : answer.weight().orElse(1) != 1 ? "weight" : answer.name().isPresent() ? "name" : "";
    if (!more.isEmpty()) {
      throw new RejectedRowException(
          "unsupported_content", "An answer has " + more + ", which a comparison cannot hold");
    }
  }

  private static boolean endsInAnswer(List<Message> turns) {
    return !turns.isEmpty() && turns.get(turns.size() - 1).role().equals(Roles.ASSISTANT);
  }

  /**
   * Rejects a dialogue unless it begins with the user (after a system message, if any), goes back
   * and forth, ends with the assistant, and has no empty turn.
   */
  public static void requireAlternating(List<Message> messages) throws RejectedRowException {
    int start = !messages.isEmpty() && messages.get(0).role().equals(Roles.SYSTEM) ? 1 : 0;
    for (int i = start; i < messages.size(); i++) {
      String expected = (i - start) % 2 == 0 ? Roles.USER : Roles.ASSISTANT;
      if (!messages.get(i).role().equals(expected)) {
        throw new RejectedRowException(
            "wrong_roles", "Turn " + (i + 1) + " is not by the " + expected);
      }
      if (messages.get(i).content().isBlank()) {
        throw new RejectedRowException("empty_turn", "Turn " + (i + 1) + " is empty");
      }
    }
    if (messages.size() - start < 2 || (messages.size() - start) % 2 != 0) {
      throw new RejectedRowException("no_answer", "The dialogue does not end in an answer");
    }
  }
}
