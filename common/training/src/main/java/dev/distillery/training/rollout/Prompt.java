package dev.distillery.training.rollout;

import dev.distillery.core.dialogue.Message;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * Something to be answered.
 *
 * @param id of the row
 * @param ids its tokens, up to where an answer begins
 * @param text the same as text
 * @param turns of the dialogue up to the answer; none of a row of plain text
 * @param reference an answer that the row has, where it has one
 * @param row the whole row as JSON
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record Prompt(
    String id,
    int[] ids,
    String text,
    List<Message> turns,
    Optional<String> reference,
    String row) {
  public Prompt {
    turns = List.copyOf(turns);
  }

  /** A prompt and a sample of it, named for all random choices. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  record Ask(long key, int[] ids, int most) implements Serializable {}
}
