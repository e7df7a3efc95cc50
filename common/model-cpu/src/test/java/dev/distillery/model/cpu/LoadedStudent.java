package dev.distillery.model.cpu;

import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.GenerationOptions;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** A student on the CPU kernels, opened from a model's files. */
final class LoadedStudent implements AutoCloseable {
  private final ModelFiles files;
  private final Tokenizer tokenizer;
  private final CpuKernels kernels = new CpuKernels(2);
  private final Optional<Parameters> parameters;
  private final Decoder decoder;
  private final Generator generator;

  /**
   * Opens a model.
   *
   * @param blocks decodes from the file's blocks instead of widening the weights to float32
   */
  LoadedStudent(Path model, Tokenizer tokenizer, boolean blocks) throws IOException {
    this.files = ModelFiles.open(model);
    this.tokenizer = tokenizer;
    if (blocks) {
      parameters = Optional.empty();
      decoder = Weights.openForDecoding(files.config(), kernels, files.weights());
    } else {
      Parameters all =
          Parameters.allocate(kernels, DecoderLayout.slots(files.config()), slot -> false);
      Weights.load(all.frozen(), files.weights());
      parameters = Optional.of(all);
      decoder = new Decoder(files.config(), kernels, all, Optional.empty(), false);
    }
    generator = new Generator(decoder, ids -> tokenizer.decode(ids, true));
  }

  ModelFiles files() {
    return files;
  }

  /** Greedy replies; a stop token ends one. */
  List<Generator.Reply> greedy(List<int[]> prompts, int length, List<Integer> stop) {
    List<Generator.Prompt> rows = new ArrayList<>();
    for (int[] prompt : prompts) {
      rows.add(new Generator.Prompt(rows.size(), prompt));
    }
    GenerationOptions options = GenerationOptions.greedy(length, stop);
    return generator.generate(rows, options, rows.size(), (row, token) -> {});
  }

  /** Logits after each of the tokens from {@code from} on. */
  float[][] logits(int[] tokens, int from) {
    int count = tokens.length - from;
    Tensor logits = kernels.tensor(count, files.config().vocabSize());
    try {
      if (parameters.isPresent()) {
        Tensor hidden = decoder.forward(Batch.of(List.of(tokens)), Dropout.NONE);
        decoder.logits(logits, hidden.rows(from, count));
      } else {
        try (var cache = decoder.cache(1, tokens.length)) {
          Tensor hidden =
              decoder.extend(cache, new int[] {0}, new int[][] {tokens}, decoder.pack());
          decoder.logits(logits, hidden.rows(from, count), decoder.pack());
        }
      }
      float[][] rows = new float[count][];
      for (int i = 0; i < count; i++) {
        rows[i] = logits.rows(i, 1).toArray();
      }
      return rows;
    } finally {
      logits.memory().close();
    }
  }

  /**
   * How far another's greedy reply is from greedy here: the largest difference between the best
   * logit and that of the reply's token. The last token does not count, since a reply may end
   * inside what the tokenizer takes for one token.
   */
  double worstGap(int[] prompt, String reply) {
    int[] tokens = tokenizer.encodeOrdinary(reply);
    return worstGap(prompt, Arrays.copyOf(tokens, Math.max(0, tokens.length - 1)));
  }

  /** As {@link #worstGap(int[], String)}, of all the reply's tokens. */
  double worstGap(int[] prompt, int[] reply) {
    float[][] logits = logits(join(prompt, reply), prompt.length - 1);
    double worst = 0;
    for (int i = 0; i < reply.length; i++) {
      worst = Math.max(worst, best(logits[i], -1) - logits[i][reply[i]]);
    }
    return worst;
  }

  /** How many tokens of the greedy reply lead the second best by more than the margin. */
  int sure(int[] prompt, int[] reply, double margin) {
    float[][] logits = logits(join(prompt, reply), prompt.length - 1);
    int sure = 0;
    while (sure < reply.length
        && logits[sure][reply[sure]] - best(logits[sure], reply[sure]) > margin) {
      sure++;
    }
    return sure;
  }

  private static float best(float[] logits, int without) {
    float best = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < logits.length; i++) {
      best = i == without ? best : Math.max(best, logits[i]);
    }
    return best;
  }

  static int[] join(int[] prompt, int[] continuation) {
    return IntStream.concat(IntStream.of(prompt), IntStream.of(continuation)).toArray();
  }

  @Override
  public void close() throws IOException {
    generator.close();
    decoder.close();
    if (decoder.generatesOnly()) {
      decoder.pack().close();
      decoder.parameters().close();
    }
    parameters.ifPresent(Parameters::close);
    kernels.close();
    files.close();
  }
}
