package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Turns a row of text into tokens and what each counts in the loss. What is learned is found by
 * position: a template is tokenised stretch by stretch, so that no id is looked for and an EOS that
 * is the padding token too stays a label. What a message holds is text, whatever marks it spells.
 *
 * <p>Over-long rows are cut at their end, and no end is put behind what was cut: a model must not
 * learn to stop where a limit was. Safe for several threads.
 */
public final class RowEncoder {
  private static final String ALPACA = "alpaca";

  /** Stanford Alpaca's first sentence for a task that has an input. */
  private static final String ALPACA_WITH_INPUT =
      "Below is an instruction that describes a task, paired with an input that provides further"
          + " context. Write a response that appropriately completes the request.";

  private final Tokenizer tokenizer;
  private final @Nullable ChatTemplate template;
  private final TokenSettings settings;

  private RowEncoder(Tokenizer tokenizer, @Nullable ChatTemplate template, TokenSettings settings) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.settings = settings;
  }

  /** An encoder of dialogues and instructions. */
  public static RowEncoder ofDialogues(
      Tokenizer tokenizer, ChatTemplate template, TokenSettings settings) {
    return new RowEncoder(tokenizer, template, settings);
  }

  /** An encoder of documents. */
  public static RowEncoder ofDocuments(Tokenizer tokenizer, TokenSettings settings) {
    return new RowEncoder(tokenizer, null, settings);
  }

  /**
   * A task and its answer, as a dialogue of two turns. The template {@code alpaca} writes a task
   * with an input as Stanford Alpaca did; others have the input behind the instruction, an empty
   * line between.
   *
   * @param input may be blank
   * @param output the answer; a blank one is no label
   */
  public EncodedRow instruction(String instruction, String input, String output, double rowWeight) {
    List<Message> turns = new ArrayList<>(task(template(), instruction, input));
    turns.add(new Message("assistant", output));
    return dialogue(turns, rowWeight);
  }

  /** The turns before the answer to a task, in the form that a template gives them. */
  public static List<Message> task(ChatTemplate template, String instruction, String input) {
    if (input.isBlank()) {
      return List.of(new Message("user", instruction));
    }
    if (template.name().equals(ALPACA)) {
      return List.of(
          new Message("system", ALPACA_WITH_INPUT),
          new Message("user", instruction + "\n\n### Input:\n" + input));
    }
    return List.of(new Message("user", instruction + "\n\n" + input));
  }

  /**
   * A dialogue. Each answer's weight is its turn's times the row's; a turn of weight 0 is context.
   */
  public EncodedRow dialogue(List<Message> turns, double rowWeight) {
    if (turns.isEmpty()) {
      return EncodedRow.rejected(EncodedRow.EMPTY, "The dialogue has no message");
    }
    if (turns.stream().anyMatch(turn -> turn.toolCalls().isPresent())) {
      return EncodedRow.rejected(
          EncodedRow.NO_FORM, "A message calls tools, and the template has no form for that");
    }
    Optional<String> badWeight = badWeight(turns, rowWeight);
    if (badWeight.isPresent()) {
      return EncodedRow.rejected(EncodedRow.BAD_WEIGHT, badWeight.get());
    }
    int last = lastAnswer(turns);
    List<Piece> whole = new ArrayList<>();
    int characters;
    try {
      whole.add(piece(turns, last, rowWeight));
      String text = template().render(turns, false);
      characters = text.codePointCount(0, text.length());
    } catch (IllegalArgumentException e) {
      return EncodedRow.rejected(EncodedRow.NO_FORM, String.valueOf(e.getMessage()));
    }
    boolean endsWithUser = turns.get(turns.size() - 1).role().equals("user");
    int emptyAnswers = (int) turns.stream().filter(RowEncoder::isEmptyAnswer).count();
    if (!whole.get(0).learns(Integer.MAX_VALUE)) {
      return EncodedRow.rejected(
          EncodedRow.NO_LABEL,
          last < 0 ? "No message is the assistant's" : "No answer has text and a weight over 0");
    }
    boolean byTurn =
        settings.trainOn() == TrainOn.ALL_TURNS && template().rewritesEarlierTurns(turns);
    List<Piece> pieces = byTurn ? turnByTurn(turns, rowWeight) : whole;
    boolean tooLong = limited() && longest(pieces) > settings.maxLength();
    if (tooLong && settings.overLength() == OverLength.REJECT) {
      return tooLong(longest(pieces));
    }
    if (tooLong && settings.overLength() == OverLength.SPLIT) {
      pieces = atTurns(turns, last, rowWeight, byTurn);
    }
    return keep(pieces, characters, endsWithUser, emptyAnswers);
  }

  /** A question with the tokens that a teacher wrote: see {@link TaughtRow}. */
  EncodedRow taught(String prompt, List<TokenLogprob> written, double rowWeight) {
    if (!isWeight(rowWeight)) {
      return EncodedRow.rejected(EncodedRow.BAD_WEIGHT, "The row's weight is " + rowWeight);
    }
    if (rowWeight == 0) {
      return EncodedRow.rejected(EncodedRow.NO_LABEL, "The row's weight is 0");
    }
    return new TaughtRow(tokenizer, template(), settings).encode(prompt, written, rowWeight);
  }

  /** A document: BOS where the tokenizer puts one, the text, EOS where the model has one. */
  public EncodedRow document(String text, double rowWeight) {
    if (text.isEmpty()) {
      return EncodedRow.rejected(EncodedRow.EMPTY, "The document has no text");
    }
    if (!isWeight(rowWeight)) {
      return EncodedRow.rejected(EncodedRow.BAD_WEIGHT, "The row's weight is " + rowWeight);
    }
    int[] prefix = tokenizer.prefix();
    int[] body = tokenizer.encodeOrdinary(text);
    int end = settings.eos() >= 0 ? 1 : 0;
    int[] ids = Arrays.copyOf(prefix, prefix.length + body.length + end);
    System.arraycopy(body, 0, ids, prefix.length, body.length);
    if (end == 1) {
      ids[ids.length - 1] = settings.eos();
    }
    float[] weights = new float[ids.length];
    Arrays.fill(weights, prefix.length, ids.length, (float) rowWeight);
    Piece whole = new Piece(ids, weights, new int[] {end == 1 ? ids.length - 1 : -1});
    int characters = text.codePointCount(0, text.length());
    if (!limited() || ids.length <= settings.maxLength()) {
      return whole.learns(Integer.MAX_VALUE)
          ? keep(List.of(whole), characters, false, 0)
          : EncodedRow.rejected(EncodedRow.NO_LABEL, "One token alone follows nothing");
    }
    return switch (settings.overLength()) {
      case REJECT -> tooLong(ids.length);
      case CUT -> keep(List.of(whole), characters, false, 0);
      case SPLIT -> keep(stretches(whole), characters, false, 0);
    };
  }

  /**
   * A text and its class: BOS where the tokenizer puts one, the instruction, and the input behind
   * it, an empty line between. Nothing is put at its end, so that the last token, which the class
   * is told from, is the one that transformers' classifiers look at too.
   *
   * @param label one of the settings' classes, white space around it aside
   */
  public EncodedRow labelled(String instruction, String input, String label, double rowWeight) {
    String text = input.isBlank() ? instruction : instruction + "\n\n" + input;
    if (text.isEmpty()) {
      return EncodedRow.rejected(EncodedRow.EMPTY, "The row has no text");
    }
    if (!isWeight(rowWeight)) {
      return EncodedRow.rejected(EncodedRow.BAD_WEIGHT, "The row's weight is " + rowWeight);
    }
    if (label.isBlank() || rowWeight == 0) {
      return EncodedRow.rejected(
          EncodedRow.NO_LABEL, rowWeight == 0 ? "The row's weight is 0" : "The output is empty");
    }
    int number = settings.classes().indexOf(label.strip());
    if (number < 0) {
      return EncodedRow.rejected(
          EncodedRow.UNKNOWN_LABEL, "No row that is trained on has the output " + label.strip());
    }
    int[] prefix = tokenizer.prefix();
    int[] body = tokenizer.encodeOrdinary(text);
    int[] ids = Arrays.copyOf(prefix, prefix.length + body.length);
    System.arraycopy(body, 0, ids, prefix.length, body.length);
    if (ids.length > settings.maxLength() && settings.overLength() == OverLength.REJECT) {
      return tooLong(ids.length);
    }
    int length = Math.min(ids.length, settings.maxLength());
    float[] weights = new float[length];
    Arrays.fill(weights, (float) rowWeight);
    var sequence = new TokenSequence(Arrays.copyOf(ids, length), weights, new int[] {0}, number);
    int characters = text.codePointCount(0, text.length());
    return new EncodedRow(
        List.of(sequence), "", "", ids.length, ids.length - length, characters, true, false, 0);
  }

  private static int longest(List<Piece> pieces) {
    return pieces.stream().mapToInt(piece -> piece.ids().length).max().orElse(0);
  }

  private List<Piece> stretches(Piece whole) {
    List<Piece> pieces = new ArrayList<>();
    int length = whole.ids().length;
    for (int from = 0; from < length; from += settings.maxLength()) {
      int to = Math.min(length, from + settings.maxLength());
      int end = whole.ends()[0];
      pieces.add(
          new Piece(
              Arrays.copyOfRange(whole.ids(), from, to),
              Arrays.copyOfRange(whole.weights(), from, to),
              new int[] {end >= from && end < to ? end - from : -1}));
    }
    return pieces;
  }

  /** Whether a row of the input must fit a row of the table. */
  private boolean limited() {
    return settings.packing() != Packing.CONSTANT_LENGTH;
  }

  private EncodedRow tooLong(int tokens) {
    return EncodedRow.rejected(
        EncodedRow.TOO_LONG,
        "The row has %s tokens, more than %s".formatted(tokens, settings.maxLength()));
  }

  private EncodedRow keep(
      List<Piece> pieces, int characters, boolean endsWithUser, int emptyAnswers) {
    int limit = limited() ? settings.maxLength() : Integer.MAX_VALUE;
    List<TokenSequence> sequences = new ArrayList<>();
    int tokens = 0;
    int kept = 0;
    boolean stops = false;
    for (Piece piece : pieces) {
      tokens += piece.ids().length;
      int length = Math.min(limit, piece.ids().length);
      // A document's last token may come to stand alone; it is a label of nothing, but no loss.
      if (piece.learns(length) || (template == null && !sequences.isEmpty())) {
        kept += length;
        stops |= piece.stops(length);
        sequences.add(piece.sequence(length));
      }
    }
    if (sequences.isEmpty()) {
      return EncodedRow.rejected(
          EncodedRow.NO_LABEL_AFTER_CUT,
          "The first %s of %s tokens hold nothing to learn".formatted(limit, tokens));
    }
    return new EncodedRow(
        sequences, "", "", tokens, tokens - kept, characters, stops, endsWithUser, emptyAnswers);
  }

  /**
   * A row for each answer, as the model will see it: a template that strips reasoning from earlier
   * turns writes them differently in each.
   */
  private List<Piece> turnByTurn(List<Message> turns, double rowWeight) {
    List<Piece> pieces = new ArrayList<>();
    for (int i = 0; i < turns.size(); i++) {
      if (turns.get(i).role().equals("assistant")) {
        Piece piece = piece(turns.subList(0, i + 1), i, rowWeight);
        pieces.add(piece.onlyAnswer(i));
      }
    }
    return pieces;
  }

  /**
   * As many exchanges in a part as fit, the system message before each.
   *
   * @param byTurn whether each answer of a part is a row
   */
  private List<Piece> atTurns(List<Message> turns, int last, double rowWeight, boolean byTurn) {
    int system = turns.get(0).role().equals("system") ? 1 : 0;
    List<Integer> exchanges = new ArrayList<>();
    for (int i = system; i < turns.size(); i++) {
      boolean afterAnswer = i == system || turns.get(i - 1).role().equals("assistant");
      if (afterAnswer && (exchanges.isEmpty() || turns.get(i).role().equals("user"))) {
        exchanges.add(i);
      }
    }
    exchanges.add(turns.size());
    List<Piece> pieces = new ArrayList<>();
    for (int from = 0; from + 1 < exchanges.size(); ) {
      int to = from + 1;
      int first = exchanges.get(from);
      List<Piece> part = part(turns, system, first, exchanges.get(to), last, rowWeight, byTurn);
      while (to + 1 < exchanges.size()) {
        List<Piece> longer =
            part(turns, system, first, exchanges.get(to + 1), last, rowWeight, byTurn);
        if (longest(longer) > settings.maxLength()) {
          break;
        }
        part = longer;
        to++;
      }
      pieces.addAll(part);
      from = to;
    }
    return pieces;
  }

  private List<Piece> part(
      List<Message> turns,
      int system,
      int from,
      int to,
      int last,
      double rowWeight,
      boolean byTurn) {
    List<Message> some = new ArrayList<>(turns.subList(0, system));
    some.addAll(turns.subList(from, to));
    if (byTurn) {
      return turnByTurn(some, rowWeight);
    }
    return List.of(piece(some, last >= from && last < to ? last - from + system : -1, rowWeight));
  }

  /**
   * Tokens of turns, uncut.
   *
   * @param last index of the dialogue's last answer; negative where it is not among these turns
   */
  private Piece piece(List<Message> turns, int last, double rowWeight) {
    if (settings.trainOn() == TrainOn.EVERYTHING && turns.stream().allMatch(RowEncoder::plain)) {
      int[] ids = template().encodeWhole(tokenizer, turns);
      float[] weights = new float[ids.length];
      Arrays.fill(weights, (float) rowWeight);
      return new Piece(ids, weights, new int[] {ids.length - 1});
    }
    ChatTemplate.Encoded encoded = template().encode(tokenizer, turns, false);
    int[] ids = encoded.ids();
    int[] answers = encoded.answers();
    float[] weights = new float[ids.length];
    int[] ends = new int[turns.size()];
    Arrays.fill(ends, -1);
    for (int t = 0; t < ids.length; t++) {
      int answer = answers[t];
      if (answer < 0) {
        weights[t] = settings.trainOn() == TrainOn.EVERYTHING ? (float) rowWeight : 0;
        continue;
      }
      Message turn = turns.get(answer);
      boolean wanted = settings.trainOn() != TrainOn.LAST_TURN || answer == last;
      if (wanted && !isEmptyAnswer(turn)) {
        weights[t] = (float) (rowWeight * weight(turn));
        ends[answer] = t;
      }
    }
    return new Piece(ids, weights, ends);
  }

  private Optional<String> badWeight(List<Message> turns, double rowWeight) {
    if (!isWeight(rowWeight)) {
      return Optional.of("The row's weight is " + rowWeight);
    }
    for (int i = 0; i < turns.size(); i++) {
      Message turn = turns.get(i);
      boolean passedOver =
          settings.trainOn() == TrainOn.EVERYTHING
              && weight(turn) != 1
              && !turn.role().equals("assistant");
      if (!isWeight(weight(turn)) || passedOver) {
        return Optional.of(
            "The weight of message %s is %s%s"
                .formatted(i, weight(turn), passedOver ? ", and it is no answer" : ""));
      }
    }
    return Optional.empty();
  }

  /** Whether nothing sets a turn apart from the others. */
  private static boolean plain(Message turn) {
    return weight(turn) == 1 && !isEmptyAnswer(turn);
  }

  private static double weight(Message turn) {
    return turn.weight().orElse(1);
  }

  private static boolean isWeight(double weight) {
    return weight >= 0 && weight <= Float.MAX_VALUE;
  }

  private static boolean isEmptyAnswer(Message turn) {
    return turn.role().equals("assistant") && turn.content().isBlank();
  }

  private static int lastAnswer(List<Message> turns) {
    for (int i = turns.size() - 1; i >= 0; i--) {
      if (turns.get(i).role().equals("assistant")) {
        return i;
      }
    }
    return -1;
  }

  private ChatTemplate template() {
    if (template == null) {
      throw new IllegalStateException("This encoder writes documents, no dialogues");
    }
    return template;
  }

  /**
   * A stretch of a row, uncut.
   *
   * @param ids token ids, [time]
   * @param weights what each counts, [time]
   * @param ends where answers that are learned end; -1 for none
   */
  @SuppressWarnings("ArrayRecordComponent") // Lives for one row.
  private record Piece(int[] ids, float[] weights, int[] ends) {
    /** Whether anything is learned of the first tokens; the very first follows nothing. */
    boolean learns(int length) {
      for (int t = 1; t < Math.min(length, ids.length); t++) {
        if (weights[t] > 0) {
          return true;
        }
      }
      return false;
    }

    /** The same tokens, of which one answer is learned alone. */
    Piece onlyAnswer(int message) {
      int before = -1;
      for (int m = 0; m < message; m++) {
        before = Math.max(before, ends[m]);
      }
      float[] counted = weights.clone();
      Arrays.fill(counted, 0, before + 1, 0);
      int[] end = new int[ends.length];
      Arrays.fill(end, -1);
      end[message] = ends[message];
      return new Piece(ids, counted, end);
    }

    boolean stops(int length) {
      return Arrays.stream(ends).anyMatch(end -> end >= 0 && end < length && weights[end] > 0);
    }

    TokenSequence sequence(int length) {
      float[] counted = Arrays.copyOf(weights, length);
      counted[0] = 0;
      return new TokenSequence(Arrays.copyOf(ids, length), counted, new int[] {0});
    }
  }
}
