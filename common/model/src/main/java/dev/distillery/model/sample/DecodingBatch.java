package dev.distillery.model.sample;

import dev.distillery.model.constrain.ConstrainedText;
import dev.distillery.model.constrain.TokenConstraint;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import dev.distillery.model.sample.Generator.Finish;
import dev.distillery.model.sample.Generator.Listener;
import dev.distillery.model.sample.Generator.Prompt;
import dev.distillery.model.sample.Generator.Reply;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Rows that are decoded together, each with options of its own. A row joins as soon as there is
 * room and leaves as soon as it is done; its reply depends on no other row. What a prompt begins
 * with and one before it began with too, in whole pieces, is not computed again where that gives
 * the same bits. One thread at a time.
 */
public final class DecodingBatch implements AutoCloseable {
  /** Tokens of a prompt that go through the model at once, at most; so many whole pieces. */
  private static final int CHUNK = 512;

  /** Rows of logits at once. */
  private static final int LOGITS = 64;

  private static final int[] NONE = {};

  private final Decoder decoder;
  private final PackedWeights weights;
  private final Workspace workspace;
  private final KeyValueCache cache;
  private final @Nullable Row[] places;

  /** Rows whose prompts are not read to the end; they take turns. */
  private final ArrayDeque<Row> reading = new ArrayDeque<>();

  /** Of each place, what its cache begins with and was read in whole pieces. */
  private final int[][] read;

  private final boolean shares;

  /** When each place was last given to a row. */
  private final long[] used;

  private long uses;

  private record Row(
      Prompt prompt,
      int place,
      GenerationOptions options,
      TokenChooser chooser,
      Function<int[], String> text,
      Listener listener,
      Consumer<Reply> done,
      Tokens tokens) {}

  /** The tokens of a row so far, the prompt's first, in an array of their final number. */
  private static final class Tokens {
    private final int[] all;
    private final int prompt;
    private final List<WrittenToken> tops = new ArrayList<>();

    /** Where the reply is, if it must be something. */
    private final @Nullable ConstrainedText constrained;

    private int count;

    /** Tokens of the prompt that are read. */
    private int read;

    Tokens(int[] prompt, int limit, @Nullable ConstrainedText constrained) {
      this.constrained = constrained;
      this.all = Arrays.copyOf(prompt, prompt.length + limit);
      this.prompt = prompt.length;
      this.count = prompt.length;
    }

    int written() {
      return count - prompt;
    }

    int last() {
      return all[count - 1];
    }

    boolean full() {
      return count == all.length;
    }

    boolean isRead() {
      return read == prompt;
    }

    int[] reply(int length) {
      return Arrays.copyOfRange(all, prompt, prompt + length);
    }
  }

  DecodingBatch(Decoder decoder, PackedWeights weights, Workspace workspace, KeyValueCache cache) {
    this.decoder = decoder;
    this.weights = weights;
    this.workspace = workspace;
    this.cache = cache;
    this.places = new Row[cache.sequences()];
    this.read = new int[places.length][];
    Arrays.fill(read, NONE);
    this.used = new long[places.length];
    this.shares = decoder.generatesOnly() && decoder.kernels().rowsStandAlone();
  }

  /** Tokens of a row at most, prompt and reply together. */
  public int capacity() {
    return cache.capacity();
  }

  /** Whether another row can join. */
  public boolean hasRoom() {
    return Arrays.asList(places).contains(null);
  }

  /** Whether no row is being decoded. */
  public boolean isEmpty() {
    return active().isEmpty();
  }

  /**
   * Takes a row; the steps to come read its prompt and write its reply.
   *
   * @param prompt shorter than the capacity; where it leaves less room than the options' length,
   *     the reply ends where the capacity does
   * @param text turns the reply's tokens into text
   * @param done is given the reply, within a step
   */
  public void add(
      Prompt prompt,
      GenerationOptions options,
      Function<int[], String> text,
      Listener listener,
      Consumer<Reply> done) {
    int room = capacity() - prompt.tokens().length;
    if (!hasRoom() || room < 1) {
      throw new IllegalArgumentException(
          "No room for a prompt of %s tokens in a batch of %s rows of %s tokens"
              .formatted(prompt.tokens().length, places.length, capacity()));
    }
    boolean all = listener.hearsPrompt() || !shares;
    int place = place(all ? NONE : prompt.tokens());
    used[place] = ++uses;
    int kept = all ? 0 : PromptPieces.shared(read[place], prompt.tokens());
    cache.cut(place, kept);
    read[place] = Arrays.copyOf(prompt.tokens(), kept);
    Row row =
        new Row(
            prompt,
            place,
            options,
            chooser(options),
            text,
            listener,
            done,
            new Tokens(
                prompt.tokens(),
                Math.min(options.maxNewTokens(), room),
                options.constraint().map(TokenConstraint::begin).orElse(null)));
    row.tokens.read = kept;
    places[place] = row;
    reading.add(row);
  }

  /**
   * The free place for a prompt: one whose pieces it begins with all, so that none is lost; else
   * one that has none; else the one that was used longest ago.
   */
  private int place(int[] prompt) {
    int best = -1;
    long bestWorth = Long.MIN_VALUE;
    for (int place = 0; place < places.length; place++) {
      if (places[place] == null) {
        int shared = PromptPieces.shared(read[place], prompt);
        long worth = shared == read[place].length ? shared : -used[place];
        if (worth > bestWorth) {
          best = place;
          bestWorth = worth;
        }
      }
    }
    return best;
  }

  /** Takes over what another place has read of a row's prompt beyond what the row has. */
  private void take(Row row) {
    Tokens tokens = row.tokens;
    int from = -1;
    int most = tokens.read;
    for (int other = 0; other < places.length; other++) {
      int shared = PromptPieces.shared(read[other], row.prompt.tokens());
      if (shared > most) {
        from = other;
        most = shared;
      }
    }
    if (from >= 0) {
      cache.copy(from, row.place, tokens.read, most);
      tokens.read = most;
      read[row.place] = Arrays.copyOf(tokens.all, most);
    }
  }

  /** Forgets a row; nothing more is heard of it. */
  public void remove(Prompt prompt) {
    for (Row row : active()) {
      if (row.prompt.equals(prompt)) {
        places[row.place] = null;
        reading.remove(row);
      }
    }
  }

  /** Reads what has joined, and chooses one more token for every row. */
  public void step() {
    step(Integer.MAX_VALUE);
  }

  /**
   * Chooses one more token for every row whose prompt is read, after reading some of the others.
   *
   * @param prompts tokens of prompts to read at most, to whole pieces; prompts take turns, so that
   *     a long one holds up neither the replies nor a short prompt
   */
  public void step(int prompts) {
    List<Row> rows = new ArrayList<>(active());
    rows.removeAll(reading);
    int left = prompts;
    while (left > 0 && !reading.isEmpty()) {
      Row row = reading.remove();
      // Where a product's size decides about bits, a prompt is always cut alike.
      left -= read(row, shares ? Math.min(CHUNK, whole(left)) : CHUNK);
      if (!row.tokens.isRead()) {
        reading.add(row);
      }
    }
    if (rows.isEmpty()) {
      return;
    }
    int[] sequences = rows.stream().mapToInt(Row::place).toArray();
    int[][] tokens = rows.stream().map(row -> new int[] {row.tokens.last()}).toArray(int[][]::new);
    choose(logits(decoder.extend(cache, sequences, tokens, weights)), rows);
  }

  private static int whole(int tokens) {
    return Math.max(PromptPieces.LENGTH, tokens / PromptPieces.LENGTH * PromptPieces.LENGTH);
  }

  private List<Row> active() {
    List<Row> rows = new ArrayList<>();
    for (Row row : places) {
      if (row != null) {
        rows.add(row);
      }
    }
    return rows;
  }

  /** A chooser has large scratch arrays, so rows of the same options share one. */
  private TokenChooser chooser(GenerationOptions options) {
    return active().stream()
        .map(Row::chooser)
        .filter(chooser -> chooser.options().equals(options))
        .findFirst()
        .orElseGet(() -> new TokenChooser(options, decoder.config().vocabSize()));
  }

  /** Reads some of a row's prompt and, at its end, chooses the reply's first token. */
  private int read(Row row, int most) {
    Tokens tokens = row.tokens;
    if (shares && !row.listener.hearsPrompt()) {
      take(row);
    }
    int from = tokens.read;
    int to = Math.min(tokens.prompt, from + most);
    int[][] pieces = PromptPieces.of(tokens.all, from, to);
    int[] sequences = new int[pieces.length];
    Arrays.fill(sequences, row.place);
    Tensor hidden =
        decoder.extend(cache, sequences, pieces, decoder.generatesOnly() ? weights : null);
    tokens.read = to;
    read[row.place] = Arrays.copyOf(tokens.all, to / PromptPieces.LENGTH * PromptPieces.LENGTH);
    if (row.listener.hearsPrompt()) {
      tellPrompt(row, hidden, from);
    }
    if (tokens.isRead()) {
      choose(logits(hidden.rows(hidden.rows() - 1, 1)), List.of(row));
    }
    return to - from;
  }

  /** Tells of the tokens that follow on those just read. */
  private void tellPrompt(Row row, Tensor hidden, int from) {
    int count = Math.min(hidden.rows(), row.tokens.prompt - 1 - from);
    for (int at = 0; at < count; at += LOGITS) {
      Tensor logits = logits(hidden.rows(at, Math.min(LOGITS, count - at)));
      for (int i = 0; i < logits.rows(); i++) {
        int token = row.tokens.all[from + at + i + 1];
        float[] values = logits.rows(i, 1).toArray();
        row.listener.onPrompt(WrittenToken.of(values, token, row.options.topLogProbs()));
      }
    }
  }

  private Tensor logits(Tensor hidden) {
    Tensor logits = workspace.get("logits", hidden.rows(), decoder.config().vocabSize());
    decoder.logits(logits, hidden, weights);
    return logits;
  }

  private void choose(Tensor logits, List<Row> rows) {
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      Tokens tokens = row.tokens;
      float[] values = logits.rows(i, 1).toArray();
      int told = row.options.topLogProbs();
      float[] plain = told > 0 ? values.clone() : values;
      if (tokens.constrained != null) {
        tokens.constrained.mask(values, row.options.stopIds());
      }
      int token =
          row.chooser.choose(values, tokens.all, tokens.count, row.prompt.row(), tokens.written());
      tokens.all[tokens.count++] = token;
      row.listener.onToken(row.prompt.row(), token, row.chooser.logProb());
      if (told > 0) {
        WrittenToken written = WrittenToken.of(plain, token, told);
        tokens.tops.add(written);
        row.listener.onTold(written);
      }
      Reply reply = finished(row);
      if (reply != null) {
        places[row.place] = null;
        row.done.accept(reply);
      }
    }
  }

  /** The row's reply, where its last token ends it. */
  private static @Nullable Reply finished(Row row) {
    int written = row.tokens.written();
    if (row.options.stopIds().contains(row.tokens.last())) {
      int[] tokens = row.tokens.reply(written - 1);
      return new Reply(tokens, row.text.apply(tokens), Finish.STOP, written, row.tokens.tops);
    }
    ConstrainedText constrained = row.tokens.constrained;
    if (constrained != null) {
      constrained.append(row.tokens.last());
    }
    boolean whole = constrained != null && constrained.isOver();
    boolean full = row.tokens.full();
    if (!full && !whole && row.options.stopTexts().isEmpty()) {
      return null;
    }
    int[] tokens = row.tokens.reply(written);
    String text = row.text.apply(tokens);
    int stop = firstStop(text, row.options.stopTexts());
    if (stop >= 0) {
      List<WrittenToken> before = before(row, stop);
      return new Reply(tokens, text.substring(0, stop), Finish.STOP, written, before);
    }
    if (whole) {
      return new Reply(tokens, text, Finish.STOP, written, row.tokens.tops);
    }
    return full ? new Reply(tokens, text, Finish.LENGTH, written, row.tokens.tops) : null;
  }

  /** What is told of the tokens that end before a stop text. */
  private static List<WrittenToken> before(Row row, int stop) {
    List<WrittenToken> tops = row.tokens.tops;
    int kept = tops.size();
    while (kept > 0 && row.text.apply(row.tokens.reply(kept)).length() > stop) {
      kept--;
    }
    return tops.subList(0, kept);
  }

  private static int firstStop(String reply, List<String> stops) {
    return stops.stream().mapToInt(reply::indexOf).filter(i -> i >= 0).min().orElse(-1);
  }

  /** Frees the cache; rows that are not done are forgotten. */
  @Override
  public void close() {
    cache.close();
  }
}
