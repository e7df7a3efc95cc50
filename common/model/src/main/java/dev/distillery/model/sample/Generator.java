package dev.distillery.model.sample;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Workspace;
import java.util.List;
import java.util.function.Function;

/**
 * Generates replies to many prompts, some at a time. A row's reply depends on its prompt, its id,
 * the options and the weights, and not on which other rows are computed with it: prompts are read
 * one by one, and decoding uses products whose rows do not see each other. A finished row makes
 * room for the next prompt at once.
 */
public final class Generator implements AutoCloseable {
  private final Decoder decoder;
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
   * @param written tokens that were chosen, the stop token among them
   * @param tops of each of them, where the options ask for it; else empty
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  public record Reply(
      int[] tokens, String text, Finish finish, int written, List<WrittenToken> tops) {}

  /** Hears of each token as it is chosen. */
  @FunctionalInterface
  public interface Listener {
    void onToken(long row, int token);

    /**
     * The same, with what the token's logarithmic probability was.
     *
     * @param logProb by the logits divided by the temperature; not a number where top-k or top-p
     *     cut the distribution, or the temperature is 0
     */
    default void onToken(long row, int token, double logProb) {
      onToken(row, token);
    }

    /** What is told of the token heard of last, where the options ask for it. */
    default void onTold(WrittenToken told) {}

    /** Whether to tell of the prompt's tokens too, but for its first, which nothing is before. */
    default boolean hearsPrompt() {
      return false;
    }

    /** A token of the prompt, in their order, before any of the reply. */
    default void onPrompt(WrittenToken told) {}
  }

  /**
   * A generator on the decoder's weights as they are now.
   *
   * @param text turns tokens into text, for stop texts and replies
   */
  public Generator(Decoder decoder, Function<int[], String> text) {
    this.decoder = decoder;
    this.text = text;
    this.weights = decoder.pack();
    this.workspace = new Workspace(decoder.kernels());
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
          "A prompt of %s tokens leaves no room in the model's context of %s: shorten it"
              .formatted(longest, context));
    }
    int capacity = Math.min(context, longest + options.maxNewTokens());
    Reply[] replies = new Reply[prompts.size()];
    try (DecodingBatch batch = batch(Math.min(batchSize, prompts.size()), capacity)) {
      int next = 0;
      while (next < prompts.size() || !batch.isEmpty()) {
        while (next < prompts.size() && batch.hasRoom()) {
          int index = next++;
          batch.add(prompts.get(index), options, text, listener, reply -> replies[index] = reply);
        }
        batch.step();
      }
    }
    return List.of(replies);
  }

  /**
   * An empty batch, for rows that come and go; one at a time, and closed before this.
   *
   * @param rows decoded together at most
   * @param capacity tokens of a row, prompt and reply together
   */
  public DecodingBatch batch(int rows, int capacity) {
    return new DecodingBatch(decoder, weights, workspace, decoder.cache(rows, capacity));
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
