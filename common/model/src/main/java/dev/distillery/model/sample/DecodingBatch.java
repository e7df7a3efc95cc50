package dev.distillery.model.sample;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import dev.distillery.model.sample.Generator.Finish;
import dev.distillery.model.sample.Generator.Listener;
import dev.distillery.model.sample.Generator.Prompt;
import dev.distillery.model.sample.Generator.Reply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Rows that are decoded together, each with options of its own. A row joins as soon as there is
 * room and leaves as soon as it is done; its reply depends on no other row. One thread at a time.
 */
public final class DecodingBatch implements AutoCloseable {
  private static final int PROMPT_CHUNK = 512;

  private final Decoder decoder;
  private final PackedWeights weights;
  private final Workspace workspace;
  private final KeyValueCache cache;
  private final @Nullable Row[] places;

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
    private int count;

    Tokens(int[] prompt, int limit) {
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
   * Reads a prompt and chooses the first token of its reply.
   *
   * @param prompt shorter than the capacity; where it leaves less room than the options' length,
   *     the reply ends where the capacity does
   * @param text turns the reply's tokens into text
   * @param done is given the reply, within this call or a later {@link #step}
   */
  public void add(
      Prompt prompt,
      GenerationOptions options,
      Function<int[], String> text,
      Listener listener,
      Consumer<Reply> done) {
    int place = Arrays.asList(places).indexOf(null);
    int room = capacity() - prompt.tokens().length;
    if (place < 0 || room < 1) {
      throw new IllegalArgumentException(
          "No room for a prompt of %d tokens in a batch of %d rows of %d tokens"
              .formatted(prompt.tokens().length, places.length, capacity()));
    }
    Row row =
        new Row(
            prompt,
            place,
            options,
            chooser(options),
            text,
            listener,
            done,
            new Tokens(prompt.tokens(), Math.min(options.maxNewTokens(), room)));
    cache.clear(place);
    Tensor hidden = read(place, prompt.tokens());
    places[place] = row;
    choose(logits(hidden.rows(hidden.rows() - 1, 1)), List.of(row));
  }

  /** Forgets a row; nothing more is heard of it. */
  public void remove(Prompt prompt) {
    for (Row row : active()) {
      if (row.prompt.equals(prompt)) {
        places[row.place] = null;
      }
    }
  }

  /** Chooses one more token for every row. */
  public void step() {
    List<Row> rows = active();
    if (rows.isEmpty()) {
      return;
    }
    int[] sequences = rows.stream().mapToInt(Row::place).toArray();
    int[][] tokens = rows.stream().map(row -> new int[] {row.tokens.last()}).toArray(int[][]::new);
    choose(logits(decoder.extend(cache, sequences, tokens, weights)), rows);
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

  private Tensor read(int sequence, int[] tokens) {
    Tensor hidden = null;
    for (int from = 0; from < tokens.length; from += PROMPT_CHUNK) {
      int[] chunk = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + PROMPT_CHUNK));
      hidden =
          decoder.extend(
              cache,
              new int[] {sequence},
              new int[][] {chunk},
              decoder.generatesOnly() ? weights : null);
    }
    if (hidden == null) {
      throw new IllegalArgumentException("A prompt has no tokens");
    }
    return hidden;
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
      int token =
          row.chooser.choose(values, tokens.all, tokens.count, row.prompt.row(), tokens.written());
      if (told > 0) {
        tokens.tops.add(WrittenToken.of(plain, token, told));
      }
      tokens.all[tokens.count++] = token;
      row.listener.onToken(row.prompt.row(), token, row.chooser.logProb());
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
    boolean full = row.tokens.full();
    if (!full && row.options.stopTexts().isEmpty()) {
      return null;
    }
    int[] tokens = row.tokens.reply(written);
    String text = row.text.apply(tokens);
    int stop = firstStop(text, row.options.stopTexts());
    if (stop >= 0) {
      List<WrittenToken> before = before(row, stop);
      return new Reply(tokens, text.substring(0, stop), Finish.STOP, written, before);
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
