package dev.distillery.datasets.sharegpt;

import dev.distillery.core.dialogue.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Cuts long dialogues between rounds (a question and its answer), each piece as long as it may be.
 * Every round is in exactly one piece: a round that is too long by itself is a piece of its own,
 * for whoever trains on it to cut off.
 */
final class LongDialogues {
  private LongDialogues() {}

  /**
   * The pieces, in order.
   *
   * @param turns rounds of two turns, perhaps after a system message, which every piece begins with
   * @param length of one turn
   * @param maxLength of a piece
   */
  static List<List<Message>> split(
      List<Message> turns, ToIntFunction<Message> length, int maxLength) {
    List<Message> system = turns.subList(0, turns.size() % 2);
    int systemLength = system.stream().mapToInt(length).sum();
    List<List<Message>> pieces = new ArrayList<>();
    List<Message> piece = new ArrayList<>(system);
    int pieceLength = systemLength;
    for (int i = system.size(); i < turns.size(); i += 2) {
      List<Message> round = turns.subList(i, i + 2);
      int roundLength = round.stream().mapToInt(length).sum();
      if (piece.size() > system.size() && pieceLength + roundLength > maxLength) {
        pieces.add(piece);
        piece = new ArrayList<>(system);
        pieceLength = systemLength;
      }
      piece.addAll(round);
      pieceLength += roundLength;
    }
    pieces.add(piece);
    return pieces;
  }
}
