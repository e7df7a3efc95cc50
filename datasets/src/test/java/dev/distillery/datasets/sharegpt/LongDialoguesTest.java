package dev.distillery.datasets.sharegpt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class LongDialoguesTest {
  @Property(seed = "20260801")
  void everyRoundIsInOnePieceAndNoPieceIsTooLongButASingleRound(
      @ForAll @Size(min = 1, max = 20) List<@IntRange(min = 1, max = 30) Integer> lengths,
      @ForAll @IntRange(min = 1, max = 60) int maxLength) {
    List<Message> turns = new ArrayList<>();
    for (int length : lengths) {
      turns.add(new Message("user", "q".repeat(length)));
      turns.add(new Message("assistant", "a".repeat(length)));
    }
    List<List<Message>> pieces =
        LongDialogues.split(turns, turn -> turn.content().length(), maxLength);
    List<Message> together = new ArrayList<>();
    for (List<Message> piece : pieces) {
      int length = piece.stream().mapToInt(turn -> turn.content().length()).sum();
      assertThat(length <= maxLength || piece.size() == 2).isTrue();
      together.addAll(piece);
    }
    assertThat(together).isEqualTo(turns);
  }
}
