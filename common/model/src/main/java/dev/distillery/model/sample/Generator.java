package dev.distillery.model.sample;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * Generates replies to many prompts, some at a time. A row's reply depends on its prompt, its id,
 * the options and the weights, and not on which other rows are computed with it: prompts are read
 * one by one, and decoding uses products whose rows do not see each other. A finished row makes
 * room for the next prompt at once.
 */
public final class Generator implements AutoCloseable {
  private static final int PROMPT_CHUNK = 512;

  private final Decoder decoder;
  private final Kernels kernels;
  private final Function<int[], String> text;
  private final PackedWeights weights;
  private final Workspace workspace;

  /**
   * A prompt.
   *
   * @param row names the row for random choices
   * @param tokens at least one
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  public record Prompt(long row, int[] tokens) {
    public Prompt {
      if (tokens.length == 0) {
        throw new IllegalArgumentException("Prompt of row " + row + " has no tokens");
      }
    }
  }

  /** Why a reply ended: a stop token or text, its length, or the model's context. */
  public enum Finish {
    STOP,
    LENGTH
  }

  /**
   * A reply.
   *
   * @param tokens without the stop token
   * @param text of the tokens, cut before the stop text
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  public record Reply(int[] tokens, String text, Finish finish) {}

  /** Hears of each token as it is chosen. */
  @FunctionalInterface
  public interface Listener {
    void onToken(long row, int token);
  }

  /**
   * A generator on the decoder's weights as they are now.
   *
   * @param text turns tokens into text, for stop texts and replies
   */
  public Generator(Decoder decoder, Function<int[], String> text) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.text = text;
    this.weights = decoder.pack();
    this.workspace = new Workspace(kernels);
  }

  private static final class Row {
    private final int index;
    private final Prompt prompt;
    private final int sequence;
    private final int[] seen;
    private int count;

    Row(int index, Prompt prompt, int sequence, int limit) {
      this.index = index;
      this.prompt = prompt;
      this.sequence = sequence;
      this.seen = Arrays.copyOf(prompt.tokens, prompt.tokens.length + limit);
      this.count = prompt.tokens.length;
    }

    int generated() {
      return count - prompt.tokens.length;
    }

    int[] reply() {
      return Arrays.copyOfRange(seen, prompt.tokens.length, count);
    }
  }

  /**
   * The replies, in the order of the prompts.
   *
   * @param batchSize rows decoded together
   */
  public List<Reply> generate(
      List<Prompt> prompts, GenerationOptions options, int batchSize, Listener listener) {
    if (prompts.isEmpty()) {
      return List.of();
    }
    int context = decoder.config().maxPositions();
    int longest = prompts.stream().mapToInt(p -> p.tokens.length).max().orElseThrow();
    if (longest >= context) {
      throw new IllegalArgumentException(
          "A prompt of %d tokens leaves no room in the model's context of %d: shorten it"
              .formatted(longest, context));
    }
    int capacity = Math.min(context, longest + options.maxNewTokens());
    int width = Math.min(batchSize, prompts.size());
    TokenChooser chooser = new TokenChooser(options, decoder.config().vocabSize());
    Reply[] replies = new Reply[prompts.size()];
    List<Row> active = new ArrayList<>();
    try (KeyValueCache cache = decoder.cache(width, capacity)) {
      int next = 0;
      for (int s = 0; s < width; s++) {
        next = start(prompts, next, s, cache, options, chooser, listener, replies, active);
      }
      while (!active.isEmpty()) {
        step(cache, active, chooser, listener);
        for (Row row : List.copyOf(active)) {
          if (finish(row, options, capacity, replies)) {
            active.remove(row);
            next =
                start(
                    prompts,
                    next,
                    row.sequence,
                    cache,
                    options,
                    chooser,
                    listener,
                    replies,
                    active);
          }
        }
      }
    }
    return List.of(replies);
  }

  /** Reads prompts into a free sequence until one needs more than its first token. */
  private int start(
      List<Prompt> prompts,
      int next,
      int sequence,
      KeyValueCache cache,
      GenerationOptions options,
      TokenChooser chooser,
      Listener listener,
      Reply[] replies,
      List<Row> active) {
    while (next < prompts.size()) {
      Prompt prompt = prompts.get(next);
      cache.clear(sequence);
      int limit = Math.min(options.maxNewTokens(), cache.capacity() - prompt.tokens.length);
      Row row = new Row(next++, prompt, sequence, limit);
      Tensor hidden = read(cache, sequence, prompt.tokens);
      choose(logits(hidden.rows(hidden.rows() - 1, 1)), List.of(row), chooser, listener);
      if (!finish(row, options, cache.capacity(), replies)) {
        active.add(row);
        break;
      }
    }
    return next;
  }

  private Tensor read(KeyValueCache cache, int sequence, int[] tokens) {
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

  private void step(
      KeyValueCache cache, List<Row> active, TokenChooser chooser, Listener listener) {
    int[] sequences = new int[active.size()];
    int[][] tokens = new int[active.size()][];
    for (int i = 0; i < sequences.length; i++) {
      Row row = active.get(i);
      sequences[i] = row.sequence;
      tokens[i] = new int[] {row.seen[row.count - 1]};
    }
    choose(logits(decoder.extend(cache, sequences, tokens, weights)), active, chooser, listener);
  }

  private Tensor logits(Tensor hidden) {
    Tensor logits = workspace.get("logits", hidden.rows(), decoder.config().vocabSize());
    kernels.project(logits, hidden, weights.head());
    return logits;
  }

  private static void choose(
      Tensor logits, List<Row> rows, TokenChooser chooser, Listener listener) {
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      int token =
          chooser.choose(
              logits.rows(i, 1).toArray(), row.seen, row.count, row.prompt.row, row.generated());
      row.seen[row.count++] = token;
      listener.onToken(row.prompt.row, token);
    }
  }

  /** Whether the row's last token ends it; its reply is set then. */
  private boolean finish(Row row, GenerationOptions options, int capacity, Reply[] replies) {
    if (options.stopIds().contains(row.seen[row.count - 1])) {
      int[] tokens = Arrays.copyOf(row.reply(), row.generated() - 1);
      replies[row.index] = new Reply(tokens, text.apply(tokens), Finish.STOP);
      return true;
    }
    boolean full = row.count >= Math.min(capacity, row.seen.length);
    if (!full && options.stopTexts().isEmpty()) {
      return false;
    }
    String reply = text.apply(row.reply());
    int stop = firstStop(reply, options.stopTexts());
    if (stop >= 0) {
      replies[row.index] = new Reply(row.reply(), reply.substring(0, stop), Finish.STOP);
    } else if (full) {
      replies[row.index] = new Reply(row.reply(), reply, Finish.LENGTH);
    }
    return replies[row.index] != null;
  }

  private static int firstStop(String reply, List<String> stops) {
    return stops.stream().mapToInt(reply::indexOf).filter(i -> i >= 0).min().orElse(-1);
  }

  /** Frees scratch memory and transposed copies; the decoder stays open. */
  @Override
  public void close() {
    workspace.close();
    if (!decoder.generatesOnly()) {
      weights.close();
    }
  }
}
